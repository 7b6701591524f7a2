package turn

import (
	"encoding/binary"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// wire is what a gate stands before: a UDP socket, or one TCP or TLS connection.
type wire interface {
	// read fills buf with one datagram, or one STUN message or ChannelData of a connection.
	read(buf []byte) (int, netip.AddrPort, error)
	// write sends one; any number of goroutines may.
	write(p []byte, to netip.AddrPort) error
	local() net.Addr
	// relaying tells whether there is an allocation now.
	relaying(yes bool)
	close() error
}

// gate is the socket that pion sees. Its ReadFrom gives pion nothing but requests that are authenticated and allowed,
// and Send indications of clients that have an allocation.
type gate struct {
	// Fixed.
	server *Server
	wire   wire
	asked  *sources      // limits Binding answers; nil on connections, whose source is known to be true
	tried  *sources      // likewise for 401s
	done   chan struct{} // closed when ReadFrom has failed: pion is leaving

	// Owned by the goroutine that calls ReadFrom, which is also the one that handles what it returned.
	buf     []byte
	out     []byte
	msg     stun.Message
	current *request
	inner   innerNonce
	failed  bool

	mu       sync.RWMutex
	relaysBy map[netip.AddrPort]*relay
}

// maxDatagram is the longest that is relayed; pion takes less than 1600.
const maxDatagram = 1600

func newGate(s *Server, w wire) *gate {
	return &gate{
		server: s, wire: w, done: make(chan struct{}), buf: make([]byte, maxDatagram), out: make([]byte, 0, 64),
		relaysBy: make(map[netip.AddrPort]*relay),
	}
}

func (g *gate) relay(client netip.AddrPort) *relay {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.relaysBy[client]
}

// ReadFrom returns the next request that pion is to handle.
func (g *gate) ReadFrom(p []byte) (int, net.Addr, error) {
	g.leave()
	if next, client := g.inner.next(g); next != nil {
		return copy(p, next), udpAddr(client), nil
	}
	for {
		n, client, err := g.wire.read(g.buf)
		if err != nil {
			g.fail()
			return 0, nil, err
		}
		if next := g.take(g.buf[:n], client); next != nil {
			return copy(p, next), udpAddr(client), nil
		}
	}
}

// leave ends the request before: what it took and did not use is given back.
func (g *gate) leave() {
	if g.current != nil {
		g.current.slot.release()
	}
	g.current = nil
}

func (g *gate) fail() {
	if !g.failed {
		g.failed = true
		close(g.done)
	}
}

// take handles one datagram, or returns what pion is to handle.
func (g *gate) take(p []byte, client netip.AddrPort) []byte {
	switch {
	case isChannelData(p):
		g.channelData(p, client)
	case !isSTUN(p):
		g.server.counters.refuse(Garbage)
	case messageType(p) == typeBinding:
		g.binding(p, client)
	case messageType(p) == typeSend:
		if g.relay(client) != nil {
			return p
		}
		g.server.counters.refuse(Garbage)
	default:
		return g.request(p, client)
	}
	return nil
}

// channelData carries the payload to the channel's peer; an unbound channel's is dropped.
func (g *gate) channelData(p []byte, client netip.AddrPort) {
	size := int(binary.BigEndian.Uint16(p[2:]))
	r := g.relay(client)
	if r == nil || channelHeader+size > len(p) {
		g.server.counters.refuse(Garbage)
		return
	}
	if peer, ok := r.peerOf(binary.BigEndian.Uint16(p)); ok {
		_ = r.send(p[channelHeader:channelHeader+size], peer) // counted; it is a datagram
	} else {
		g.server.counters.refuse(Garbage)
	}
}

func (g *gate) binding(p []byte, client netip.AddrPort) {
	if g.asked != nil && !g.asked.allow(client.Addr(), time.Now()) {
		g.server.counters.refuse(SourceRate)
		return
	}
	answer := appendBindingAnswer(g.out[:0], p, client)
	if answer == nil {
		g.server.counters.refuse(Garbage)
		return
	}
	g.server.counters.bindings.Add(1)
	_ = g.wire.write(answer, client) // whoever asked asks again
}

// request authenticates and vets; it answers what is refused, and returns what pion is to handle.
func (g *gate) request(p []byte, client netip.AddrPort) []byte {
	g.msg.Raw = append(g.msg.Raw[:0], p...)
	if g.msg.Decode() != nil || g.msg.Type.Class != stun.ClassRequest || !knownMethod(g.msg.Type.Method) || wrongFingerprint(p) {
		g.server.counters.refuse(Garbage)
		return nil
	}
	r := &request{msg: &g.msg, client: client}
	if code := g.server.authenticate(r, time.Now()); code != 0 {
		g.challenge(r, code)
		return nil
	}
	if no := g.vet(r); no.code != 0 {
		if no.reason != "" {
			g.server.counters.refuse(no.reason)
		}
		g.reply(r.answer(no.code), client)
		return nil
	}
	return g.inner.sign(g, r)
}

func knownMethod(m stun.Method) bool {
	switch m {
	case stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind,
		stun.MethodConnect, stun.MethodConnectionBind:
		return true
	}
	return false
}

// challenge asks for credentials.
func (g *gate) challenge(r *request, code stun.ErrorCode) {
	now := time.Now()
	if g.tried != nil && !g.tried.allow(r.client.Addr(), now) {
		g.server.counters.refuse(SourceRate)
		return
	}
	if code == stun.CodeBadRequest {
		g.reply(r.answer(code), r.client)
		return
	}
	g.reply(r.answer(code, stun.NewNonce(g.server.nonces.make(r.client, now)), stun.NewRealm(g.server.o.Realm)), r.client)
}

func (g *gate) reply(p []byte, client netip.AddrPort) {
	if p != nil {
		_ = g.wire.write(p, client) // whoever asked asks again
	}
}

// WriteTo sends what pion has to say.
func (g *gate) WriteTo(p []byte, to net.Addr) (int, error) {
	if g.inner.heard(p) {
		return len(p), nil
	}
	out := p
	if isSTUN(p) {
		out = fingerprinted(slices.Clone(p))
	}
	return len(p), g.wire.write(out, addrPort(to))
}

// add makes r the relay of its client; the client has none.
func (g *gate) add(r *relay) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.relaysBy[r.client] = r
	g.wire.relaying(true)
}

func (g *gate) remove(r *relay) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.relaysBy[r.client] == r {
		delete(g.relaysBy, r.client)
		g.wire.relaying(false)
	}
}

// Close ends ReadFrom.
func (g *gate) Close() error { return g.wire.close() }

// LocalAddr is the listener's address.
func (g *gate) LocalAddr() net.Addr { return g.wire.local() }

// SetDeadline and its two companions are not used by pion.
func (g *gate) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (g *gate) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (g *gate) SetWriteDeadline(time.Time) error { return nil }

// start lets pion read from the gate.
func (g *gate) start() (*pion.Server, error) {
	return pion.NewServer(pion.ServerConfig{
		LoggerFactory: pionLoggers{pionLogger{g.server.o.Log}},
		Realm:         g.server.o.Realm,
		AuthHandler: func(*pion.RequestAttributes) (string, []byte, bool) {
			if g.current == nil {
				return "", nil, false
			}
			return g.current.id, g.current.key, true
		},
		EventHandler:       pion.EventHandler{OnChannelCreated: g.bound, OnChannelDeleted: g.unbound},
		AllocationLifetime: maxLifetime,
		InboundMTU:         maxDatagram + 400, // of which resigned requests may use a little
		PacketConnConfigs:  []pion.PacketConnConfig{{PacketConn: g, RelayAddressGenerator: generator{g}}},
	})
}

func (g *gate) bound(client, _ net.Addr, _, _, _ string, _, peer net.Addr, channel uint16) {
	if r := g.relay(addrPort(client)); r != nil {
		r.bind(channel, addrPort(peer))
	}
}

func (g *gate) unbound(client, _ net.Addr, _, _, _ string, _, _ net.Addr, channel uint16) {
	if r := g.relay(addrPort(client)); r != nil {
		r.unbind(channel)
	}
}

// hangUp closes what allocations are left.
func (g *gate) hangUp() {
	g.mu.RLock()
	left := slices.Collect(maps.Values(g.relaysBy))
	g.mu.RUnlock()
	for _, r := range left {
		_ = r.Close() // nothing is lost
	}
}
