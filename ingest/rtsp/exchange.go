package rtsp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	userAgent  = "sluice"
	maxPending = 16 // some cameras never answer keepalives
	maxSession = 512
)

// exchange is one request of the engine and its answer. The camera sees a CSeq of our own, since a request
// that is repeated with credentials needs a second one.
type exchange struct {
	request *message
	cseq    int    // of the newest try
	theirs  string // the engine's CSeq
	refused int    // times that it was answered with 401
	renewed bool   // a 401 said that only the nonce was stale
	keep    bool   // a keepalive, whose answer matters to nobody
	link    *link  // SETUP only
}

// request sends what the engine asks for, as this camera is to get it.
func (c *conn) request(p []byte) error {
	m, err := newReader(strings.NewReader(string(p)), c.address, c.knows).next()
	if err != nil {
		return fmt.Errorf("request of the RTSP engine: %w", err)
	}
	if m.isResponse() {
		return c.transmit(p)
	}
	x := &exchange{request: m, theirs: m.header.value("CSeq")}
	m.header = m.header.with("CSeq", "").with("User-Agent", userAgent)

	switch m.method() {
	case "OPTIONS", "GET_PARAMETER":
		x.keep = c.playing.Load()
	case "SETUP":
		if err := c.prepareSetup(x); err != nil {
			return err
		}
	case "PLAY":
		c.punch()
		c.playing.Store(true)
	case "TEARDOWN":
		c.leaving.Store(true)
	}
	return c.send(x)
}

// send writes a request, with credentials once the camera has asked for them.
func (c *conn) send(x *exchange) error {
	c.mu.Lock()
	c.cseq++
	x.cseq = c.cseq
	h := append(header{{"CSeq", strconv.Itoa(x.cseq)}}, x.request.header...)
	if c.auth != nil {
		h = h.with("Authorization", c.auth.header(x.request.method(), x.request.uri()))
	}
	if len(c.pending) == maxPending {
		c.pending = slices.Delete(c.pending, 0, 1)
	}
	c.pending = append(c.pending, x)
	c.mu.Unlock()
	return c.transmit((&message{start: x.request.start, header: h, body: x.request.body}).marshal())
}

// answered takes the request that a response belongs to off the list; nil if there is none. A camera that
// sends no CSeq, or a wrong one, answers in order.
func (c *conn) answered(m *message) *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	cseq, err := strconv.Atoi(m.header.value("CSeq"))
	i := slices.IndexFunc(c.pending, func(x *exchange) bool { return x.cseq == cseq })
	if i < 0 && len(c.pending) > 0 && (err != nil || len(c.pending) == 1) {
		i = 0
	}
	if i < 0 {
		return nil
	}
	x := c.pending[i]
	c.pending = slices.Delete(c.pending, i, i+1)
	return x
}

func (c *conn) receiveResponse(m *message) error {
	code, reason, err := m.status()
	if err != nil || code < 200 {
		return err
	}
	x := c.answered(m)
	if x == nil {
		return nil
	}
	if code == 401 {
		again, err := c.authenticate(x, m)
		if err != nil && !x.keep && x.request.method() != "TEARDOWN" {
			return err
		}
		if again {
			return c.send(x)
		}
	}
	return c.interpret(x, m, code, reason)
}

// authenticate looks at a 401 and reports whether the request is worth another try. Two refusals in a row
// are the end, as cameras lock accounts after a few; a nonce that was only stale counts once.
func (c *conn) authenticate(x *exchange, m *message) (again bool, err error) {
	if c.credentials == nil {
		return false, &AuthFailedError{Address: c.address, Missing: true}
	}
	best, found := strongest(parseChallenges(m.header.values("WWW-Authenticate")))
	if !found {
		return false, &AuthFailedError{Address: c.address}
	}
	if best.stale() && !x.renewed {
		x.renewed = true
	} else {
		x.refused++
	}
	if x.refused > 1 {
		return false, &AuthFailedError{Address: c.address}
	}
	c.mu.Lock()
	c.auth = newAuthorization(*c.credentials, best)
	c.mu.Unlock()
	return true, nil
}

// interpret acts on an answer, and hands it to the engine in a form that it takes.
func (c *conn) interpret(x *exchange, m *message, code int, reason string) error {
	method := x.request.method()
	if x.keep {
		return nil
	}
	if location := m.header.value("Location"); code >= 300 && code < 400 && location != "" {
		return &redirect{location}
	}
	answer := header{{"CSeq", x.theirs}}
	switch {
	case method == "TEARDOWN":
		close(c.torn)
	case method == "OPTIONS": // nothing depends on it, whatever a camera thinks of the method
		public := m.header.value("Public")
		c.reply(200, "OK", append(answer, field{"Public", public[:min(len(public), 2000)]}), nil)
	case code != 200:
		c.reply(code, reason, answer, nil)
	case method == "DESCRIBE":
		return c.described(x, m, answer)
	case method == "SETUP" || method == "PLAY":
		return c.inSession(x, m, answer)
	default:
		c.reply(code, reason, answer, nil)
	}
	return nil
}

// inSession hands on the answers that tell of the session.
func (c *conn) inSession(x *exchange, m *message, answer header) error {
	session, err := c.sessionOf(m)
	if err != nil {
		return err
	}
	if session != "" {
		answer = append(answer, field{"Session", session})
	}
	if x.link != nil {
		return c.wasSetUp(x, m, answer)
	}
	c.reply(200, "OK", answer, nil)
	return nil
}

// reply hands the engine an answer.
func (c *conn) reply(code int, reason string, h header, body []byte) {
	if reason == "" {
		reason = "unnamed"
	}
	start := fmt.Sprintf("RTSP/1.0 %d %s", code, reason[:min(len(reason), 200)])
	c.deliver((&message{start: start, header: h, body: body}).marshal())
}

// sessionOf is the Session header for the engine: the identifier, and the timeout if it makes sense. A camera
// that changes its mind about the identifier, other than by its case, has lost the session.
func (c *conn) sessionOf(m *message) (string, error) {
	value := m.header.value("Session")
	if value == "" {
		return "", nil
	}
	id, params, _ := strings.Cut(value, ";")
	id = strings.TrimSpace(id)
	if len(id) > maxSession {
		return "", &ProtocolError{fmt.Sprintf("its session identifier has %d bytes", len(id))}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == "" {
		c.session = id
	}
	if !strings.EqualFold(id, c.session) {
		return "", &ProtocolError{"it changes the session identifier in the middle of a session"}
	}
	id = c.session
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && strings.EqualFold(strings.TrimSpace(name), "timeout") && n > 1 && n < 1e6 {
			return fmt.Sprintf("%s;timeout=%d", id, n), nil
		}
	}
	return id, nil
}
