package rtsp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What one camera may make the gateway hold or skip.
const (
	maxLine     = 8 << 10
	maxHeaders  = 512
	maxBody     = 128 << 10
	maxResyncs  = 10
	maxJunk     = 256 << 10 // between two messages
	anyChannels = 20        // channels below this may come unasked
)

// reader takes a camera's bytes apart into messages.
type reader struct {
	br      *bufio.Reader
	address string             // for errors
	known   func(ch byte) bool // channels that were set up
	synced  bool               // a message has been read, so this is RTSP
	resyncs int
}

func newReader(r io.Reader, address string, known func(byte) bool) *reader {
	return &reader{br: bufio.NewReaderSize(r, maxLine), address: address, known: known}
}

// next is the next message. Junk before it is skipped, at most ten times. Its errors are *ProtocolError,
// *NotRTSPError and those of the connection.
func (r *reader) next() (*message, error) {
	if err := r.sync(); err != nil {
		return nil, err
	}
	b, err := r.br.Peek(1)
	if err != nil {
		return nil, err
	}
	var m *message
	if b[0] == '$' {
		m, err = r.frame()
	} else {
		m, err = r.text()
	}
	r.synced = r.synced || err == nil
	return m, err
}

// sync goes to where a message seems to begin.
func (r *reader) sync() error {
	for skipped := 0; ; {
		begins, err := r.begins()
		if begins || err != nil {
			return err
		}
		b, _ := r.br.ReadByte()
		if b == '\r' || b == '\n' { // stray blank lines are common between messages
			continue
		}
		if !r.synced {
			return &NotRTSPError{Address: r.address}
		}
		if err := r.skipped(skipped); err != nil {
			return err
		}
		skipped++
	}
}

// skipped counts a run of junk once.
func (r *reader) skipped(n int) error {
	if n == 0 {
		r.resyncs++
	}
	if r.resyncs > maxResyncs || n > maxJunk {
		return &ProtocolError{"there is junk between its messages"}
	}
	return nil
}

var starts = [][]byte{
	[]byte("RTSP"), []byte("HTTP"), []byte("OPTI"), []byte("ANNO"), []byte("GET_"), []byte("SET_"),
	[]byte("REDI"), []byte("TEAR"), []byte("PLAY"), []byte("DESC"), []byte("PAUS"), []byte("SETU"), []byte("RECO"),
}

// begins reports whether a message seems to begin here.
func (r *reader) begins() (bool, error) {
	b, err := r.br.Peek(4)
	if err != nil && len(b) < 2 {
		return false, err
	}
	if b[0] == '$' {
		return b[1] < anyChannels || r.known(b[1]), nil
	}
	for _, s := range starts {
		if bytes.Equal(b, s) {
			return true, nil
		}
	}
	return false, nil
}

func (r *reader) frame() (*message, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil {
		return nil, err
	}
	f := newFrame(head[1], int(head[2])<<8|int(head[3]))
	_, err := io.ReadFull(r.br, f[frameHeader:])
	return &message{frame: f}, err
}

func (r *reader) text() (*message, error) {
	start, err := r.line()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(start, "HTTP/") {
		return nil, &NotRTSPError{Address: r.address, Speaks: "HTTP"}
	}
	m := &message{start: start}
	if m.header, err = r.header(); err != nil {
		return nil, err
	}
	m.body, err = r.body(m.header.value("Content-Length"))
	return m, err
}

// line is one line without its end.
func (r *reader) line() (string, error) {
	b, err := r.br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", &ProtocolError{fmt.Sprintf("one of its lines is longer than %d bytes: %.40q…", maxLine, b)}
	}
	return strings.TrimRight(string(b), "\r\n"), err
}

// header reads to the blank line. A line that is no header is skipped.
func (r *reader) header() (header, error) {
	var h header
	for range maxHeaders {
		line, err := r.line()
		if err != nil || line == "" {
			return h, err
		}
		if name, value, found := strings.Cut(line, ":"); found {
			h = append(h, field{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
	return nil, &ProtocolError{fmt.Sprintf("it sends more than %d header lines", maxHeaders)}
}

func (r *reader) body(length string) ([]byte, error) {
	if length == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(length, 10, 63)
	if err != nil {
		return nil, &ProtocolError{fmt.Sprintf("its Content-Length is %.40q", length)}
	}
	if n > maxBody {
		return nil, &ProtocolError{fmt.Sprintf("it announces a body of %d bytes; the limit is %d", n, maxBody)}
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r.br, b)
	return b, err
}
