package certificate

import (
	"container/list"
	"crypto/tls"
	"io"
	"net"
	"time"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446 5.1).
const recordHandshake = 0x16

// firstText is the first byte that a line of HTTP may begin with. STUN messages begin with 0x00 or 0x01 (RFC 8489 5).
const firstText = 0x20

// spoken is what a connection speaks.
type spoken int

const (
	nothing spoken = iota // or what is over already
	speaksHTTP
	speaksTURN
)

// welcome finds out what a connection speaks and hands it on.
func (s *splitter) welcome(n *newcomer, e *list.Element) {
	err := n.SetDeadline(time.Now().Add(handshakeTimeout))
	conn, what := net.Conn(nil), nothing
	if err == nil {
		conn, what = s.identify(n.Conn)
	}
	if settled := s.settle(n, e); !settled || what == nothing || n.SetDeadline(time.Time{}) != nil {
		_ = n.Close() // there is nobody to tell
		return
	}
	if what == speaksTURN {
		s.turn(conn)
		return
	}
	if !s.hand(accepted{conn: conn}) {
		_ = n.Close() // the listener is closed
	}
}

// identify makes the handshake and looks at what comes after it, as far as needed.
func (s *splitter) identify(raw net.Conn) (net.Conn, spoken) {
	first := make([]byte, 1)
	if _, err := io.ReadFull(raw, first); err != nil {
		return nil, nothing
	}
	begun := &begunConn{Conn: raw, begin: first}
	if first[0] != recordHandshake {
		if first[0] >= 'A' && first[0] <= 'Z' {
			refusePlain(begun)
		}
		return nil, nothing
	}
	c := tls.Server(begun, s.config)
	if c.Handshake() != nil {
		return nil, nothing
	}
	switch c.ConnectionState().NegotiatedProtocol {
	case protoChallenge: // the handshake was all that the authority wanted (RFC 8737 4)
		_ = c.Close()
		return nil, nothing
	case protoTURN:
		return c, speaksTURN
	case "":
		return s.listen(c)
	}
	return c, speaksHTTP
}

// listen waits for the first byte of a connection that names no protocol.
func (s *splitter) listen(c *tls.Conn) (net.Conn, spoken) {
	if s.turn == nil {
		return c, speaksHTTP
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		return nil, nothing
	}
	begun := &begunTLS{Conn: c, begun: begunConn{Conn: c, begin: first}}
	if first[0] < firstText {
		return begun, speaksTURN
	}
	return begun, speaksHTTP
}

// begunConn is a connection of which the first bytes were read already. It is read by one goroutine at a time.
type begunConn struct {
	net.Conn
	begin []byte
}

func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.begin) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.begin)
	c.begin = c.begin[n:]
	return n, nil
}

// begunTLS is the same above TLS; its ConnectionState is where http.Server finds what Request.TLS says.
type begunTLS struct {
	*tls.Conn
	begun begunConn
}

func (c *begunTLS) Read(p []byte) (int, error) { return c.begun.Read(p) }
