package certificate

import (
	"container/list"
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	// handshakeTimeout is from a connection's first moment to the end of its handshake, and to the first byte of one that
	// does not say what it speaks.
	handshakeTimeout = 10 * time.Second
	// maxHandshakes is how many may be under way at a listener.
	maxHandshakes = 256
	// protoTURN is TURN's name in ALPN (RFC 7443).
	protoTURN = "stun.turn"
)

// Split shares a TLS port between HTTPS and TURN. The listener that it returns hands on connections whose handshake is
// done and that speak HTTP: *tls.Conn, or a type that embeds one, whose state http.Server finds too. What speaks TURN, by
// ALPN or by its first byte if it names no protocol, is given to turn, which takes the connection and returns soon; with
// a nil turn it is closed. Plain HTTP is told to use https.
//
// At most 256 handshakes are under way, each for at most 10 s; the oldest makes room for a newcomer, so that connections
// that say nothing keep nobody out. The first Accept starts the work, Close ends it and waits for its goroutines;
// connections that were handed on stay open.
func Split(l net.Listener, c *tls.Config, turn func(net.Conn)) net.Listener {
	if turn != nil {
		c = c.Clone()
		c.NextProtos = append(slices.Clone(c.NextProtos), protoTURN)
	}
	return &splitter{
		Listener: l, config: c, turn: turn,
		ready: make(chan accepted), done: make(chan struct{}), pending: list.New(),
	}
}

// accepted is what Accept returns.
type accepted struct {
	conn net.Conn
	err  error
}

type splitter struct {
	// fixed after Split
	net.Listener
	config *tls.Config
	turn   func(net.Conn)
	ready  chan accepted // no buffer; sent by the goroutines of work, never closed
	done   chan struct{} // closed by Close

	start, stop sync.Once
	stopped     error
	work        sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	pending *list.List // of *newcomer, the oldest first
}

// newcomer is a connection before it is known what it speaks.
type newcomer struct {
	net.Conn
	evicted bool // guarded by splitter.mu: it was closed to make room
}

// Accept waits for the next connection that speaks HTTP. Errors are those of the listener below; net.ErrClosed after
// Close.
func (s *splitter) Accept() (net.Conn, error) {
	s.start.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			s.work.Go(s.loop)
		}
	})
	select {
	case a := <-s.ready:
		return a.conn, a.err
	case <-s.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener below and all handshakes.
func (s *splitter) Close() error {
	s.stop.Do(func() {
		s.stopped = s.Listener.Close()
		close(s.done)
		s.mu.Lock()
		s.closed = true
		for e := s.pending.Front(); e != nil; e = e.Next() {
			_ = e.Value.(*newcomer).Close() // its goroutine finds out
		}
		s.mu.Unlock()
	})
	s.work.Wait()
	return s.stopped
}

// loop takes connections. After an error it waits until Accept has handed that on: http.Server pauses after those that
// pass, and closes after the others.
func (s *splitter) loop() {
	for {
		c, err := s.Listener.Accept()
		if err != nil {
			if !s.hand(accepted{err: err}) {
				return
			}
			continue
		}
		s.admit(c)
	}
}

// admit begins a handshake, at the cost of the oldest if there are too many.
func (s *splitter) admit(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return
	}
	if s.pending.Len() >= maxHandshakes {
		oldest := s.pending.Remove(s.pending.Front()).(*newcomer)
		oldest.evicted = true
		_ = oldest.Close() // its goroutine finds out
	}
	n := &newcomer{Conn: c}
	e := s.pending.PushBack(n)
	s.work.Go(func() { s.welcome(n, e) })
}

// settle ends a connection's time as a newcomer. It is false if the connection was closed meanwhile.
func (s *splitter) settle(n *newcomer, e *list.Element) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending.Remove(e) // does nothing if it was evicted
	return !s.closed && !n.evicted
}

// hand gives something to Accept. It is false after Close.
func (s *splitter) hand(a accepted) bool {
	select {
	case s.ready <- a:
		return true
	case <-s.done:
		return false
	}
}
