package turn

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
)

// wireByHand is read and written by a test.
type wireByHand struct{ in, out chan []byte }

func (w wireByHand) read(buf []byte) (int, netip.AddrPort, error) {
	p, ok := <-w.in
	if !ok {
		return 0, netip.AddrPort{}, net.ErrClosed
	}
	return copy(buf, p), udpPort(1), nil
}

func (w wireByHand) write(p []byte, _ netip.AddrPort) error {
	w.out <- append([]byte{}, p...)
	return nil
}
func (wireByHand) local() net.Addr { return udpAddr(udpPort(3478)) }
func (wireByHand) relaying(bool)   {}
func (wireByHand) close() error    { return nil }

func (w wireByHand) ask(p []byte) *stun.Message {
	w.in <- p
	m := &stun.Message{Raw: <-w.out}
	_ = m.Decode() // an answer that is none has no error code
	return m
}

// G5: pion's nonces are replaced before it thinks them stale, and ours are stale after an hour. The request is one that
// pion refuses without a socket.
func TestNoncesAreRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Listen(t.Context(), Options{Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		w := wireByHand{make(chan []byte), make(chan []byte)}
		if _, err := newGate(s, w).start(); err != nil {
			t.Fatal(err)
		}
		a := &asker{t: t}
		for _, after := range []time.Duration{0, 50 * time.Minute, 2 * time.Hour} {
			time.Sleep(after)
			if a.nonce != "" && after > nonceLifetime {
				if code := errorOf(w.ask(a.refusedByPion())); code != 438 {
					t.Errorf("our nonce after %v: error %d", after, code)
				}
				a.nonce = ""
			}
			if a.nonce == "" {
				a.nonce = nonceOf(t, w.ask(bare(stun.MethodAllocate)))
				a.username, a.key = mintedKey("x")
			}
			if code := errorOf(w.ask(a.refusedByPion())); code != 400 {
				t.Errorf("after %v: error %d", after, code)
			}
		}
		close(w.in)
	})
}

func mintedKey(id string) (string, stun.MessageIntegrity) {
	username, credential := Mint(secret, id, time.Hour, time.Now())
	return username, longTermKey(username, "sluice", credential)
}

func (a *asker) refusedByPion() []byte {
	return a.request(stun.MethodAllocate, transport(protoUDP), attribute(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8),
		attribute(stun.AttrEvenPort, 0))
}
