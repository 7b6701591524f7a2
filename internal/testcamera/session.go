package testcamera

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Request is what a client asked.
type Request struct {
	Method, URL string
	Header      textproto.MIMEHeader
}

// Session is one connection to the camera.
type Session struct {
	net.Conn
	Camera *Camera

	// Frames gets what the client sends interleaved: channel, then packet. It is called by the session's goroutine.
	Frames func(channel byte, p []byte)

	ways []way // owned by the session's goroutine, by track
	done chan struct{}
	once sync.Once

	sent      atomic.Int64  // packets
	streaming chan struct{} // closed with the tenth packet

	wg  sync.WaitGroup
	wmu sync.Mutex // held while writing
}

func newSession(c *Camera, conn net.Conn) *Session {
	return &Session{Conn: conn, Camera: c, done: make(chan struct{}), streaming: make(chan struct{})}
}

// Hangup closes the connection and ends the stream.
func (s *Session) Hangup() {
	s.once.Do(func() { close(s.done) })
	_ = s.Conn.Close()
}

func (s *Session) run() {
	defer func() {
		s.Hangup()
		for _, w := range s.ways {
			w.close()
		}
		s.wg.Wait()
	}()
	if s.Camera.Connect != nil && !s.Camera.Connect(s) {
		return
	}
	br := bufio.NewReader(s.Conn)
	for {
		r, err := s.read(br)
		if err != nil {
			return
		}
		if r == nil {
			continue
		}
		s.Camera.record(r)
		if a := s.Camera.Auth; a != nil && !a.admits(s, r) {
			continue
		}
		if s.Camera.Handle != nil {
			s.Camera.Handle(s, r)
		} else {
			s.Serve(r)
		}
	}
}

// read returns nil for an interleaved packet or a response.
func (s *Session) read(br *bufio.Reader) (*Request, error) {
	b, err := br.Peek(1)
	if err != nil {
		return nil, err
	}
	if b[0] == '$' {
		return nil, s.readFrame(br)
	}
	tp := textproto.NewReader(br)
	line, err := tp.ReadLine()
	if err != nil {
		return nil, err
	}
	h, err := tp.ReadMIMEHeader()
	if err != nil || strings.HasPrefix(line, "RTSP/") {
		return nil, err
	}
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("request line %q", line)
	}
	return &Request{Method: parts[0], URL: parts[1], Header: h}, nil
}

func (s *Session) readFrame(br *bufio.Reader) error {
	var head [4]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return err
	}
	p := make([]byte, int(head[2])<<8|int(head[3]))
	if _, err := io.ReadFull(br, p); err != nil {
		return err
	}
	if s.Frames != nil {
		s.Frames(head[1], p)
	}
	return nil
}

// Send writes raw bytes.
func (s *Session) Send(text string) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	_ = s.Conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(s.Conn, text)
}

// Drip writes raw bytes one by one.
func (s *Session) Drip(text string, period time.Duration) {
	for i := range len(text) {
		s.Send(text[i : i+1])
		time.Sleep(period)
	}
}

// AwaitPackets waits until ten packets of the stream have gone out, or it has ended.
func (s *Session) AwaitPackets() {
	select {
	case <-s.streaming:
	case <-s.done:
	}
}

// SendFrame writes an interleaved packet.
func (s *Session) SendFrame(channel byte, p []byte) {
	s.Send(string([]byte{'$', channel, byte(len(p) >> 8), byte(len(p))}) + string(p))
}

// Reply answers a request: status is "200 OK", headers are whole lines without their end.
func (s *Session) Reply(r *Request, status, body string, headers ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "RTSP/1.0 %s\r\nCSeq: %s\r\n", status, r.Header.Get("CSeq"))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	s.Send(b.String() + "\r\n" + body)
}

// sessionHeader is the identifier that Serve gives out, with its timeout.
const sessionHeader = "Session: 12345678;timeout=60"

// Serve answers as a well-behaved camera does.
func (s *Session) Serve(r *Request) {
	switch r.Method {
	case "OPTIONS":
		s.Reply(r, "200 OK", "", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
	case "DESCRIBE":
		s.Describe(r, s.Camera.SDP)
	case "SETUP":
		if transport, ok := s.Setup(r); ok {
			s.Reply(r, "200 OK", "", sessionHeader, "Transport: "+transport)
		} else {
			s.Reply(r, "461 Unsupported Transport", "")
		}
	case "PLAY":
		s.Reply(r, "200 OK", "", sessionHeader, "RTP-Info: url="+r.URL)
		s.Play()
	case "TEARDOWN":
		s.Reply(r, "200 OK", "")
		s.Stop()
	case "GET_PARAMETER":
		s.Reply(r, "200 OK", "", sessionHeader)
	default:
		s.Reply(r, "501 Not Implemented", "")
	}
}

// Describe answers DESCRIBE with an SDP; "" is H264.
func (s *Session) Describe(r *Request, sdp string) {
	if sdp == "" {
		sdp = H264
	}
	s.Reply(r, "200 OK", sdp, "Content-Type: application/sdp", "Content-Base: "+strings.TrimSuffix(r.URL, "/")+"/")
}
