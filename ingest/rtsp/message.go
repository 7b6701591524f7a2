package rtsp

import (
	"fmt"
	"strconv"
	"strings"
)

// field is one header line.
type field struct{ name, value string }

// header is the header lines of a message, in order.
type header []field

// value is the first value of a name, whatever its case; "" if there is none.
func (h header) value(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// values is all values of a name.
func (h header) values(name string) []string {
	var all []string
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			all = append(all, f.value)
		}
	}
	return all
}

// with is a copy in which name has this one value only; with "" it has none.
func (h header) with(name, value string) header {
	c := make(header, 0, len(h)+1)
	for _, f := range h {
		if !strings.EqualFold(f.name, name) {
			c = append(c, f)
		}
	}
	if value != "" {
		c = append(c, field{name, value})
	}
	return c
}

// message is one thing that travels on an RTSP connection: a request, a response, or an interleaved frame.
type message struct {
	frame  []byte // "$", channel, length and packet; nil for requests and responses
	start  string // the first line, without its end
	header header
	body   []byte
}

// Specification: RFC 2326 10.12. frameHeader is the size of what stands before an interleaved packet.
const frameHeader = 4

// newFrame makes an interleaved frame with room for a packet of n bytes.
func newFrame(channel byte, n int) []byte {
	f := make([]byte, frameHeader+n)
	f[0], f[1], f[2], f[3] = '$', channel, byte(n>>8), byte(n)
	return f
}

// method is that of a request.
func (m *message) method() string {
	method, _, _ := strings.Cut(m.start, " ")
	return method
}

// uri is that of a request.
func (m *message) uri() string {
	_, rest, _ := strings.Cut(m.start, " ")
	uri, _, _ := strings.Cut(rest, " ")
	return uri
}

// isResponse tells a response from a request.
func (m *message) isResponse() bool { return strings.HasPrefix(m.start, "RTSP/") }

// status is the code and the reason of a response. A version other than 1.x, or a code that is no number of
// three digits, is a *ProtocolError; the reason may be missing.
func (m *message) status() (int, string, error) {
	version, rest, _ := strings.Cut(m.start, " ")
	if !strings.HasPrefix(version, "RTSP/1.") {
		return 0, "", &ProtocolError{fmt.Sprintf("it speaks %.20q instead of RTSP/1.0", version)}
	}
	digits, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	code, err := strconv.Atoi(digits)
	if err != nil || code < 100 || code > 999 {
		return 0, "", &ProtocolError{fmt.Sprintf("its status line is %.60q", m.start)}
	}
	return code, strings.TrimSpace(reason), nil
}

// marshal is the message as it stands on the wire, with the Content-Length of its body.
func (m *message) marshal() []byte {
	if m.frame != nil {
		return m.frame
	}
	var b strings.Builder
	b.WriteString(m.start + "\r\n")
	for _, f := range m.header {
		b.WriteString(f.name + ": " + f.value + "\r\n")
	}
	if len(m.body) > 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(m.body))
	}
	b.WriteString("\r\n")
	b.Write(m.body)
	return []byte(b.String())
}
