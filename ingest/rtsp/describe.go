package rtsp

import (
	"bytes"
	"fmt"
)

// described reads the camera's answer to DESCRIBE and gives the engine a description that it takes.
func (c *conn) described(x *exchange, m *message, answer header) error {
	if !looksLikeSDP(m.body) {
		return &ProtocolError{fmt.Sprintf("it describes its stream by %d bytes of %q that are no SDP",
			len(m.body), printable(m.header.value("Content-Type")))}
	}
	at := m.header.value("Content-Base")
	if at == "" {
		at = m.header.value("Content-Location")
	}
	o, err := repairSDP(m.body, repairBase(at, x.request.uri()))
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.offer = o
	c.mu.Unlock()
	c.reply(200, "OK", append(answer, field{"Content-Type", "application/sdp"}), o.sdp)
	return nil
}

// looksLikeSDP goes by the body, as cameras leave Content-Type out or name another type. An empty one is an
// SDP without media.
func looksLikeSDP(body []byte) bool {
	body = bytes.TrimLeft(body, "\r\n\t \x00\xef\xbb\xbf")
	return len(body) == 0 || bytes.HasPrefix(body, []byte("v=")) || bytes.Contains(body, []byte("m="))
}

// setUpNext says which section the engine's next SETUP is for.
func (c *conn) setUpNext(s section) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expected = s
}

// offered is what DESCRIBE was answered with; nil before.
func (c *conn) offered() *offer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offer
}
