package rtsp

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	outCapacity   = 256 // messages and packets on their way to the engine
	writeTimeout  = 10 * time.Second
	hurriedWrite  = 500 * time.Millisecond // once the session is to end
	teardownGrace = 300 * time.Millisecond
)

// conn is the repairing connection: it speaks to a camera on one side, and on the other, as a net.Conn, to the
// RTSP engine, which sees a well-behaved server that sends everything interleaved. docs/decisions/0003 tells
// why. The engine may use Read and Write from two goroutines; each Write is one whole message.
type conn struct {
	net.Conn // to the camera, TLS included

	// Fixed after newConn.
	raw         net.Conn // beneath TLS
	address     string   // host:port, for errors
	credentials *credentials
	secure      bool // rtsps
	reader      *reader
	transport   Transport // fixed after start

	out  chan []byte    // capacity outCapacity; sent to by listen and the sockets' readers, never closed
	done chan struct{}  // closed by fail
	torn chan struct{}  // closed when the camera has answered TEARDOWN
	wg   sync.WaitGroup // of the sockets' readers

	listened chan struct{} // closed when listen returns

	playing atomic.Bool // PLAY has been asked for: packets may go to the engine
	leaving atomic.Bool // TEARDOWN has been asked for: packets go nowhere
	hurried atomic.Bool // the camera gets little time to take what we send

	rest []byte // owned by the goroutine that calls Read: of the message that it reads

	wmu sync.Mutex // held while writing to the camera; taken after mu where both are

	mu       sync.Mutex
	err      error          // guarded by mu: why done is closed
	cseq     int            // guarded by mu
	pending  []*exchange    // guarded by mu: unanswered, oldest first
	auth     *authorization // guarded by mu
	session  string         // guarded by mu: the identifier of SETUP
	links    []*link        // guarded by mu: of all SETUPs, oldest first
	expected section        // guarded by mu: what the next SETUP is for
	offer    *offer         // guarded by mu: what DESCRIBE was answered with

	closeOnce sync.Once
}

func newConn(c, raw net.Conn, address string, cr *credentials, secure bool) *conn {
	r := &conn{
		Conn: c, raw: raw, address: address, credentials: cr, secure: secure,
		out: make(chan []byte, outCapacity), done: make(chan struct{}), torn: make(chan struct{}), listened: make(chan struct{}),
	}
	r.reader = newReader(c, address, r.knows)
	return r
}

// start begins to read from the camera; Close ends that.
func (c *conn) start(t Transport) {
	c.transport = t
	go c.listen()
}

// listen reads from the camera until the connection ends.
func (c *conn) listen() {
	defer close(c.listened)
	for {
		m, err := c.reader.next()
		if err == nil {
			err = c.receive(m)
		}
		if err != nil {
			c.fail(ended(err))
			return
		}
	}
}

// ended makes a sentence of the end of a connection.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &EndedError{Reason: "closed the connection", Err: err}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "write" && op.Timeout() {
		return &EndedError{Reason: "takes no more data", Err: err}
	}
	if errors.As(err, &op) && !errors.Is(err, net.ErrClosed) {
		return &EndedError{Reason: "dropped the connection: " + op.Err.Error(), Err: err}
	}
	return err
}

func (c *conn) receive(m *message) error {
	switch {
	case m.frame != nil:
		c.receiveFrame(m.frame)
		return nil
	case m.isResponse():
		return c.receiveResponse(m)
	}
	return c.serve(m)
}

// fail ends reading for the given reason; the first one counts. What the camera is still to be told can be
// written until Close.
func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.done)
	}
}

// cause is why reading has ended; nil while it has not.
func (c *conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// deliver hands bytes to the engine, waiting while it is behind.
func (c *conn) deliver(b []byte) {
	select {
	case c.out <- b:
	case <-c.done:
	}
}

// Read gives the engine what the camera sent, repaired. What was delivered before the end comes first.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		select {
		case c.rest = <-c.out:
		default:
			select {
			case c.rest = <-c.out:
			case <-c.done:
				return 0, c.cause()
			}
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write takes one whole message of the engine: a request, or an interleaved RTCP packet.
func (c *conn) Write(p []byte) (int, error) {
	var err error
	if len(p) > frameHeader && p[0] == '$' {
		err = c.sendPacket(p)
	} else {
		err = c.request(p)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// transmit writes to the camera.
func (c *conn) transmit(b []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.raw.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if c.hurried.Load() { // asked last, or a hurry that comes just now would be undone
		c.hurry()
	}
	if _, err := c.Conn.Write(b); err != nil {
		return ended(err)
	}
	return nil
}

// SetWriteDeadline does nothing: transmit knows better, as the engine's deadline would hold up the end.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// hurry makes writes, also one that is going on, end soon.
func (c *conn) hurry() {
	c.hurried.Store(true)
	_ = c.raw.SetWriteDeadline(time.Now().Add(hurriedWrite)) // fails only if closed
}

// Close waits a moment for the answer to TEARDOWN, closes the connection and all sockets, and returns when
// all that read from them have ended.
func (c *conn) Close() error {
	c.closeOnce.Do(func() {
		if c.leaving.Load() && c.cause() == nil {
			c.awaitTeardown()
		}
		c.fail(net.ErrClosed)
		// Not TLS's own Close, which waits up to 5 s for a deaf camera to take its farewell.
		_ = c.raw.Close()
		<-c.listened // it may open and close sockets
		c.closeLinks()
		c.wg.Wait()
	})
	return nil
}

func (c *conn) closeLinks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		l.close()
	}
}

func (c *conn) awaitTeardown() {
	t := time.NewTimer(teardownGrace)
	defer t.Stop()
	select {
	case <-c.torn:
	case <-c.done:
	case <-t.C:
	}
}

// knows reports whether the camera may send on an interleaved channel.
func (c *conn) knows(channel byte) bool {
	l, _ := c.link(int(channel))
	return l != nil
}

// hosts is the camera's address, and the gateway's as the camera sees it.
func (c *conn) hosts() (camera, gateway netip.Addr) {
	return addrOf(c.raw.RemoteAddr()), addrOf(c.raw.LocalAddr())
}

func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
