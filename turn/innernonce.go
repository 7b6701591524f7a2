package turn

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// innerNonce is the nonce that pion wants to see. Ours are shorter and bound to their source, so a gate gets itself
// one from pion as a client would, and puts it into what it lets through.
//
// Owned by the goroutine of ReadFrom, but for asked: relays write as well.
type innerNonce struct {
	value string
	since time.Time
	held  *request // waits for a nonce
	asked atomic.Bool
}

// innerLifetime is less than pion's hour.
const innerLifetime = 30 * time.Minute

// sign returns r for pion, or the question for a nonce, after which next returns r.
func (n *innerNonce) sign(g *gate, r *request) []byte {
	if n.value == "" || time.Since(n.since) > innerLifetime {
		n.value, n.held = "", r
		n.asked.Store(true)
		return question()
	}
	out, err := r.resigned(n.value)
	if err != nil {
		r.slot.release()
		return nil
	}
	g.current = r
	return out
}

// question is an Allocate request without credentials.
func question() []byte {
	m := &stun.Message{Type: stun.NewType(stun.MethodAllocate, stun.ClassRequest)}
	m.WriteHeader()
	return m.Raw
}

// heard takes the answer to the question out of what pion sends.
func (n *innerNonce) heard(p []byte) bool {
	if !n.asked.Load() {
		return false
	}
	m := &stun.Message{Raw: p}
	if m.Decode() != nil || m.Type != stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse) {
		return false
	}
	if nonce, err := m.Get(stun.AttrNonce); err == nil {
		n.value, n.since = string(nonce), time.Now()
	}
	return true
}

// next returns the request that waited, and its client.
func (n *innerNonce) next(g *gate) ([]byte, netip.AddrPort) {
	r := n.held
	n.asked.Store(false)
	if n.held = nil; r == nil {
		return nil, netip.AddrPort{}
	}
	if n.value == "" {
		r.slot.release()
		return nil, netip.AddrPort{}
	}
	return n.sign(g, r), r.client
}
