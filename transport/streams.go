package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// What peers over TCP may use (J101, J102).
const (
	maxUnclaimed = 256              // connections of which nobody knows yet whose they are; one more closes the oldest
	maxHandedOut = 512              // connections of OtherStreams that are open
	firstFrame   = 10 * time.Second // in which a connection must say whose it is
	idleStream   = 60 * time.Second // a connection from which no receiver has taken anything for so long is closed
	acceptPause  = 100 * time.Millisecond
)

// streams is the TCP port for peers that get no UDP through (RFC 6544, passive).
type streams struct {
	listener net.Listener  // fixed
	v4       bool          // fixed: it is open to IPv4
	others   *otherStreams // fixed
	count    counters

	mu        sync.Mutex
	unclaimed []*StreamConn // guarded by mu; the oldest first
}

// listenTCP opens the port; nil if there is none.
func listenTCP(ctx context.Context, address string) (*streams, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no TCP port is no error
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, tcpNetwork(address), address)
	if err != nil {
		return nil, &ListenError{Address: address, TCP: true, Err: cause(err)}
	}
	both := tcpNetwork(address) == "tcp"
	return &streams{listener: l, v4: both || addrPortOf(l.Addr()).Addr().Is4(), others: newOtherStreams(l.Addr())}, nil
}

// tcpNetwork is that of one address family if a host is given, as for UDP.
func tcpNetwork(address string) string {
	host, _, _ := net.SplitHostPort(address)
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "tcp"
	case a.Unmap().Is4():
		return "tcp4"
	}
	return "tcp6"
}

// run accepts connections until ctx is done or the listener is closed, and waits for those that were not handed out.
func (s *streams) run(ctx context.Context, r Receiver) error {
	var all sync.WaitGroup
	defer all.Wait()
	all.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer all.Done()
		s.setDeadline(time.Unix(1, 0))
	})
	defer func() {
		if stop() {
			all.Done()
		}
	}()
	for {
		c, err := s.listener.Accept()
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			if err == nil {
				_ = c.Close() // nobody is left to serve it
			}
			return nil
		case err != nil: // too many files, or a peer that has gone already
			pause(ctx, acceptPause)
		default:
			all.Go(func() { s.serve(ctx, c, r) })
		}
	}
}

// close ends Accept, and that of OtherStreams.
func (s *streams) close() error { return errors.Join(s.others.Close(), s.listener.Close()) }

func (s *streams) setDeadline(t time.Time) {
	if l, ok := s.listener.(*net.TCPListener); ok {
		_ = l.SetDeadline(t) // fails only once it is closed
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// serve reads a connection until its end, unless it is handed out.
func (s *streams) serve(ctx context.Context, conn net.Conn, r Receiver) {
	c := newStreamConn(conn, &s.count)
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetWriteBuffer(streamQueue) // fails only once it is closed
	}
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	s.enter(c)
	claimed := s.claim(c, r)
	s.leave(c)
	if !claimed {
		if head := c.head(); len(head) > 0 && stop() {
			c.release()
			s.others.hand(&replayed{Conn: conn, from: s.others, head: head})
			return
		}
		c.Close()
		return
	}
	var writer sync.WaitGroup
	writer.Go(c.write)
	c.read(r)
	c.Close()
	writer.Wait()
}

// enter makes room for one more connection that has said nothing yet. Who means it says something at once, so it is the
// oldest that goes: those who hold connections keep nobody out.
func (s *streams) enter(c *StreamConn) {
	s.mu.Lock()
	s.unclaimed = append(s.unclaimed, c)
	var oldest *StreamConn
	if len(s.unclaimed) > maxUnclaimed {
		oldest = s.unclaimed[0]
		s.unclaimed = slices.Delete(s.unclaimed, 0, 1)
	}
	s.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
}

func (s *streams) leave(c *StreamConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unclaimed = slices.DeleteFunc(s.unclaimed, func(o *StreamConn) bool { return o == c })
}

// claim reads the first frame and reports whether the receiver takes it.
func (s *streams) claim(c *StreamConn, r Receiver) bool {
	_ = c.conn.SetReadDeadline(time.Now().Add(firstFrame)) // fails only once it is closed
	if !c.readFrame() {
		return false
	}
	taken := c.pass(r)
	_ = c.conn.SetReadDeadline(time.Time{}) // likewise
	return taken
}

// TCPCandidates are the values of the candidate lines of the TCP port, after those of UDP in priority (RFC 6544 4.2);
// none if there is no such port.
func (p *Port) TCPCandidates(loopback bool) []string {
	if p.streams == nil {
		return nil
	}
	local := addrPortOf(p.streams.listener.Addr())
	var all []string
	for _, a := range p.hosts.additional.addresses() {
		all = append(all, tcpCandidate(len(all), netip.AddrPortFrom(a, local.Port())))
	}
	for _, a := range p.hosts.addresses(local, p.streams.v4) {
		if !a.Addr().IsLoopback() || loopback {
			all = append(all, tcpCandidate(len(all), a))
		}
	}
	return all
}

func tcpCandidate(i int, a netip.AddrPort) string {
	const passive = 4<<13 | 1<<13 - 1 // RFC 6544 4.2: direction and other preference
	priority := 99<<24 | passive<<8 | 255
	return "tcp" + strconv.Itoa(i) + " 1 tcp " + strconv.Itoa(priority-i) + " " + a.Addr().String() + " " +
		strconv.Itoa(int(a.Port())) + " typ host tcptype passive"
}

// addrPortOf is the address of a TCP connection's end, IPv4 never in its IPv6 form.
func addrPortOf(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
