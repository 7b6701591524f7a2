package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is one STUN and TURN server. Listen makes one, Run runs it.
type Server struct {
	// Fixed.
	o         Options
	began     time.Time
	udp       []*net.UDPConn // the first as it was asked for
	tcp, tls  net.Listener   // either may be nil
	nonces    *nonces
	quota     *quota // of allocations
	places    *quota // of connections
	up, down  bucket
	revoked   revoked
	counters  counters
	policy    atomic.Pointer[policy] // stored to under renewing
	terms     atomic.Pointer[terms]
	tlsConfig *tls.Config

	renewing sync.Mutex

	mu       sync.Mutex
	running  bool
	streams  map[net.Conn]struct{}
	handlers sync.WaitGroup // of streams; added to under mu while running
}

// Listen opens the listeners. It takes a Run, which closes them, to answer.
func Listen(ctx context.Context, o Options) (*Server, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Server{
		o: o, began: time.Now(), nonces: newNonces(), streams: make(map[net.Conn]struct{}),
		quota:  newQuota(o.UserQuota, o.PerIP, o.TotalQuota),
		places: newQuota(maxConnections(o), connectionsPerIP(o), maxConnections(o)),
	}
	s.counters.live = make(map[*relay]struct{})
	s.set(o)
	if err := s.listen(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// maxConnections leaves room for those that are on their way to an allocation.
func maxConnections(o Options) int { return 2*o.TotalQuota + 64 }

// connectionsPerIP does likewise: a browser connects to each URL that it is told of.
func connectionsPerIP(o Options) int { return 2 * o.PerIP }

// listenBuffer is of the UDP listener, each way.
const listenBuffer = 4 << 20

func (s *Server) listen(ctx context.Context) error {
	var config net.ListenConfig
	var err error
	if s.o.ListenUDP != "" {
		if s.udp, err = listenEverywhere(ctx, s.o.ListenUDP); err != nil {
			return fmt.Errorf("open the TURN port: %w", err)
		}
		for _, conn := range s.udp {
			_ = conn.SetReadBuffer(listenBuffer) // less will do
			_ = conn.SetWriteBuffer(listenBuffer)
		}
	}
	if s.o.ListenTCP != "" {
		if s.tcp, err = config.Listen(ctx, "tcp", s.o.ListenTCP); err != nil {
			return fmt.Errorf("open the TURN port: %w", err)
		}
	}
	if s.o.ListenTLS != "" {
		if s.tls, err = config.Listen(ctx, "tcp", s.o.ListenTLS); err != nil {
			return fmt.Errorf("open the TURN port for TLS: %w", err)
		}
		s.tlsConfig = turnOverTLS(s.o.TLS)
	}
	return nil
}

// turnOverTLS is c for TURN alone. Specification: RFC 7443.
func turnOverTLS(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{"stun.turn"}
	return c
}

func (s *Server) close() {
	for _, c := range s.udp {
		_ = c.Close() // nothing is lost
	}
	for _, l := range []net.Listener{s.tcp, s.tls} {
		if l != nil {
			_ = l.Close() // nothing is lost
		}
	}
}

// Run answers until ctx is done, closes the listeners, and returns when every connection and allocation has ended.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	gates, err := s.startUDP()
	var accepting sync.WaitGroup
	if err == nil {
		accepting.Go(func() { s.accept(ctx, s.tcp, nil) })
		accepting.Go(func() { s.accept(ctx, s.tls, s.tlsConfig) })
		s.watch(ctx)
	}
	s.close()
	accepting.Wait()
	s.hangUp()
	for _, g := range gates {
		<-g.done
		g.hangUp()
	}
	s.handlers.Wait()
	return err
}

func (s *Server) startUDP() (gates []*gate, err error) {
	for _, conn := range s.udp {
		g := newGate(s, udpWire{conn})
		g.asked = newSources(bindingsPerSecond, bindingsAtOnce)
		g.tried = newSources(challengesPerSecond, challengesAtOnce)
		if _, err := g.start(); err != nil {
			return gates, fmt.Errorf("start TURN over UDP: %w", err)
		}
		gates = append(gates, g)
	}
	return gates, nil
}

// Answers per source address, which may be that of a whole company behind one NAT. Who is flooded through us gets
// about 20 kB/s at most from each address of ours.
const (
	bindingsPerSecond   = 200
	bindingsAtOnce      = 1000
	challengesPerSecond = 200
	challengesAtOnce    = 1000
)

// watch keeps the policy young until ctx is done.
func (s *Server) watch(ctx context.Context) {
	tick := time.NewTicker(policyAge)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.renewPolicy()
		}
	}
}

func (s *Server) accept(ctx context.Context, l net.Listener, config *tls.Config) {
	if l == nil {
		return
	}
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.o.Log.Warn("TURN can't accept a connection", "err", err)
			if !pause(ctx, acceptPause) {
				return
			}
		case config != nil:
			s.Serve(tls.Server(conn, config))
		default:
			s.Serve(conn)
		}
	}
}

// acceptPause lets files be closed when there are too many.
const acceptPause = 100 * time.Millisecond

// pause returns false at ctx's end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Serve takes over a connection that speaks TURN, as from a shared HTTPS port, and returns at once. The TLS handshake
// may be done or not. A connection is closed if it has no allocation within 10 s, if there are too many, and if
// the server does not run.
func (s *Server) Serve(c net.Conn) {
	place, reason := s.places.take("", addrPort(c.RemoteAddr()).Addr())
	if place == nil {
		if reason != "" {
			s.counters.refuse(ConnectionQuota)
		}
		_ = c.Close() // nothing was said
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running {
		place.release()
		_ = c.Close() // nothing was said
		return
	}
	s.streams[c] = struct{}{}
	s.handlers.Go(func() { s.handle(c, place) })
}

// streamBuffer is what waits in the kernel for a slow client: little, for what waits is late.
const streamBuffer = 1 << 18

func (s *Server) handle(c net.Conn, place *slot) {
	defer place.release()
	defer s.forget(c)
	if tcp, ok := bottom(c).(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(streamBuffer) // the kernel's own will do
	}
	g := newGate(s, newStream(c))
	if _, err := g.start(); err != nil {
		s.o.Log.Warn("can't serve TURN on a connection", "err", err)
		return
	}
	<-g.done
	g.hangUp()
}

func bottom(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c
}

func (s *Server) forget(c net.Conn) {
	_ = c.Close() // the other side is gone, or shall be
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, c)
}

// hangUp closes all connections and lets in no more. TLS gets no farewell: one who does not read would hold us up.
func (s *Server) hangUp() {
	s.mu.Lock()
	s.running = false
	left := slices.Collect(maps.Keys(s.streams))
	s.mu.Unlock()
	for _, c := range left {
		_ = bottom(c).Close() // its handler ends
	}
}

// Revoke gives the holder of credentials with this id no new allocations and no refreshes: what there is ends within
// ten minutes. It lasts until the time at which the last credential of the id expires, which is Mint's now+ttl.
func (s *Server) Revoke(id string, until time.Time) { s.revoked.add(id, until, time.Now()) }

// Stats returns the counters.
func (s *Server) Stats() Stats {
	stats := s.counters.stats()
	stats.Connections = s.places.now()
	return stats
}

// Addrs are where a Server listens; invalid where it does not.
type Addrs struct{ UDP, TCP, TLS netip.AddrPort }

// Addrs returns the bound addresses.
func (s *Server) Addrs() (a Addrs) {
	if len(s.udp) > 0 {
		a.UDP = addrPort(s.udp[0].LocalAddr())
	}
	if s.tcp != nil {
		a.TCP = addrPort(s.tcp.Addr())
	}
	if s.tls != nil {
		a.TLS = addrPort(s.tls.Addr())
	}
	return a
}
