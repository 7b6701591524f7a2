// Package testcamera is an RTSP camera for tests that misbehaves by script. It is written by hand, without the
// RTSP library of the code under test, so that neither shares the other's mistakes.
package testcamera

import (
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Camera is a camera on a loopback port. Its fields are set before Start and not changed after; without any it
// is a well-behaved camera with one H264 track.
type Camera struct {
	SDP    string        // "" is H264
	Auth   *Auth         // nil lets everybody in
	TLS    *tls.Config   // nil is plain RTSP
	Period time.Duration // between pictures; 0 is 10 ms

	// Connect is called with each new connection, before its first request; false hangs up.
	Connect func(s *Session) bool
	// Handle is called with each request that is let in; nil is Session.Serve.
	Handle func(s *Session, r *Request)
	// Packet, if not nil, may change a track's packet on its way out; nil as a result drops it.
	Packet func(track int, p []byte) []byte

	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	sessions []*Session    // guarded by mu: all that ever were
	requests []*Request    // guarded by mu
	closed   bool          // guarded by mu
	asked    chan struct{} // guarded by mu: closed and replaced with each request; nil if nobody waits
}

// Start begins to listen; the end of the test ends the camera.
func (c *Camera) Start(t testing.TB) *Camera {
	t.Helper()
	c.StartAt(t, "127.0.0.1:0")
	return c
}

// StartAt is Start on an address, which may be one that an earlier camera had.
func (c *Camera) StartAt(t testing.TB, address string) *Camera {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS != nil {
		l = tls.NewListener(l, c.TLS)
	}
	c.listener = l
	c.wg.Go(c.accept)
	t.Cleanup(c.Close)
	return c
}

func (c *Camera) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		s := newSession(c, conn)
		c.mu.Lock()
		c.sessions = append(c.sessions, s)
		if c.closed {
			s.Hangup()
		}
		c.mu.Unlock()
		c.wg.Go(s.run)
	}
}

// Close ends all sessions without a farewell, as a power cut does. It may be called twice.
func (c *Camera) Close() {
	_ = c.listener.Close()
	c.mu.Lock()
	c.closed = true
	for _, s := range c.sessions {
		s.Hangup()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

// Address is host:port.
func (c *Camera) Address() string { return c.listener.Addr().String() }

// URL is the camera's URL, with userinfo if given, for example "user:pass".
func (c *Camera) URL(userinfo string) string {
	scheme := "rtsp://"
	if c.TLS != nil {
		scheme = "rtsps://"
	}
	if userinfo != "" {
		userinfo += "@"
	}
	return scheme + userinfo + c.Address() + "/stream?channel=1"
}

// Requests is what has been asked so far, refused requests included.
func (c *Camera) Requests() []*Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}

// Methods is the methods of Requests, each followed by a blank.
func (c *Camera) Methods() string {
	var b strings.Builder
	for _, r := range c.Requests() {
		b.WriteString(r.Method + " ")
	}
	return b.String()
}

// Connections is how many there have been.
func (c *Camera) Connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sessions)
}

func (c *Camera) record(r *Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	if c.asked != nil {
		close(c.asked)
		c.asked = nil
	}
}

// Await waits until a method has been asked for, not counting the first so many requests.
func (c *Camera) Await(t testing.TB, method string, after int) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		c.mu.Lock()
		if c.asked == nil {
			c.asked = make(chan struct{})
		}
		asked := c.asked
		found := slices.ContainsFunc(c.requests[after:], func(r *Request) bool { return r.Method == method })
		c.mu.Unlock()
		if found {
			return
		}
		select {
		case <-asked:
		case <-deadline:
			t.Fatalf("nobody asks for %s, only for %s", method, c.Methods())
		}
	}
}
