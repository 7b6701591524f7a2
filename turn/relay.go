package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// relay is the socket of one allocation, as pion sees it. ReadFrom carries what comes for a bound channel to the
// client itself; pion gets the rest, which it may make Data indications of.
type relay struct {
	// Fixed.
	server *Server
	gate   *gate
	conn   *net.UDPConn
	client netip.AddrPort
	id     string
	slot   *slot
	up     flow // to the peers
	down   flow // to the client

	channels atomic.Pointer[[]channel] // changed under mu, never in place
	buf      []byte                    // owned by ReadFrom: room for the header of ChannelData, then the payload

	once sync.Once

	mu    sync.Mutex
	names map[netip.AddrPort]netip.AddrPort // target → the name by which the client last spoke to it
}

// channel is a channel binding. Specification: RFC 8656 section 12.
type channel struct {
	number uint16
	peer   netip.AddrPort
}

func newRelay(g *gate, conn *net.UDPConn, r *request) *relay {
	relay := &relay{
		server: g.server, gate: g, conn: conn, client: r.client, id: r.id, slot: r.slot,
		buf:   make([]byte, channelHeader+maxDatagram),
		names: make(map[netip.AddrPort]netip.AddrPort),
	}
	relay.up.cap.limit(g.server.terms.Load().maxBPS)
	relay.down.cap.limit(g.server.terms.Load().maxBPS)
	relay.channels.Store(&[]channel{})
	return relay
}

func (r *relay) is4() bool { return addrPort(r.conn.LocalAddr()).Addr().Is4() }

func (r *relay) bind(number uint16, peer netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bound := append(without(*r.channels.Load(), number), channel{number, peer})
	r.channels.Store(&bound)
}

func (r *relay) unbind(number uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	bound := without(*r.channels.Load(), number)
	r.channels.Store(&bound)
}

// without is a copy.
func without(from []channel, number uint16) []channel {
	kept := make([]channel, 0, len(from)+1)
	for _, c := range from {
		if c.number != number {
			kept = append(kept, c)
		}
	}
	return kept
}

func (r *relay) peerOf(number uint16) (netip.AddrPort, bool) {
	for _, c := range *r.channels.Load() {
		if c.number == number {
			return c.peer, true
		}
	}
	return netip.AddrPort{}, false
}

// numberOf is 0 for a peer without a channel.
func (r *relay) numberOf(peer netip.AddrPort) uint16 {
	for _, c := range *r.channels.Load() {
		if c.peer == peer {
			return c.number
		}
	}
	return 0
}

// remember makes answers from target come as from name. Of a media port that has one name only, nothing is kept.
func (r *relay) remember(target, name netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.names[target]; known != name && (ok || target != name) {
		r.names[target] = name
	}
}

// name is how the client knows who sent a datagram.
func (r *relay) name(from netip.AddrPort) (netip.AddrPort, bool) {
	name, ok := r.server.policy.Load().source(from)
	if !ok {
		return name, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, has := r.names[from]; has {
		name = known
	}
	return name, true
}

// send carries a payload to a peer, if the policy lets it and there is room in the quotas. Only a datagram
// that the system refused is an error.
func (r *relay) send(p []byte, peer netip.AddrPort) error {
	target, ok := r.server.policy.Load().target(peer)
	if !ok {
		r.server.counters.refuse(PeerDatagram)
		return nil
	}
	if !r.room(&r.up, &r.server.up, len(p)) {
		return nil
	}
	r.remember(target, peer)
	if _, err := r.conn.WriteToUDPAddrPort(p, target); err != nil {
		r.server.counters.refuse(Unsent)
		return err
	}
	r.up.count(len(p))
	return nil
}

func (r *relay) room(own *flow, all *bucket, n int) bool {
	if own.cap.perByte.Load() == 0 && all.perByte.Load() == 0 {
		return true
	}
	now := int64(time.Since(r.server.began))
	if !own.cap.take(n, now) {
		r.server.counters.refuse(Bandwidth)
		return false
	}
	if !all.take(n, now) {
		r.server.counters.refuse(Capacity)
		return false
	}
	return true
}

// ReadFrom returns the next datagram of a peer without a channel.
func (r *relay) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(r.buf[channelHeader:])
		if err != nil {
			r.Close()
			return 0, nil, err
		}
		peer, ok := r.name(plain(from))
		switch {
		case !ok:
			r.server.counters.refuse(PeerDatagram)
			continue
		case n == maxDatagram:
			r.server.counters.refuse(TooLong)
			continue
		case !r.room(&r.down, &r.server.down, n):
			continue
		}
		r.down.count(n)
		number := r.numberOf(peer)
		if number == 0 {
			return copy(p, r.buf[channelHeader:channelHeader+n]), udpAddr(peer), nil
		}
		binary.BigEndian.PutUint16(r.buf, number)
		binary.BigEndian.PutUint16(r.buf[2:], uint16(n))         //nolint:gosec // less than maxDatagram
		_ = r.gate.wire.write(r.buf[:channelHeader+n], r.client) // it is a datagram; a broken connection ends by itself
	}
}

// WriteTo sends what came in a Send indication.
func (r *relay) WriteTo(p []byte, to net.Addr) (int, error) {
	return len(p), r.send(p, addrPort(to))
}

// Close ends the allocation. pion calls it when the lifetime is over, on a refresh of 0 and at the end; twice is fine.
func (r *relay) Close() error {
	var err error
	r.once.Do(func() {
		r.gate.remove(r)
		r.slot.release()
		r.server.counters.closed(r)
		err = r.conn.Close()
	})
	return err
}

// LocalAddr is where the socket is bound; what is announced may differ.
func (r *relay) LocalAddr() net.Addr { return r.conn.LocalAddr() }

// SetDeadline and its two companions are not used by pion.
func (r *relay) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (r *relay) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (r *relay) SetWriteDeadline(time.Time) error { return nil }
