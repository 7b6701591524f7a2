package rtsp

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// read takes all messages out of some bytes; each is told by its frame or first line.
func read(b []byte) (all []string, err error) {
	r := newReader(bytes.NewReader(b), "192.0.2.1:554", func(ch byte) bool { return ch == 200 })
	for {
		m, err := r.next()
		if err != nil {
			return all, err
		}
		if m.frame != nil {
			all = append(all, string(m.frame))
		} else {
			all = append(all, m.start)
		}
	}
}

// E7, J131, J132, J139
func TestReader(t *testing.T) {
	const ok, frame = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "$\x00\x00\x03abc"
	protocol, foreign := is[*ProtocolError], is[*NotRTSPError]
	end := func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
	for name, c := range map[string]struct {
		in, want string // want: messages separated by "|"
		ends     func(error) bool
	}{
		"messages":                          {ok + frame + "OPTIONS * RTSP/1.0\nCSeq:1\n\n", "RTSP/1.0 200 OK|" + frame + "|OPTIONS * RTSP/1.0", end},
		"bodies":                            {"RTSP/1.0 200 OK\r\nContent-length:2\r\n\r\n$$" + ok, "RTSP/1.0 200 OK|RTSP/1.0 200 OK", end},
		"stray blank lines":                 {"\r\n\n" + ok + "\r\n\r\n" + ok, "RTSP/1.0 200 OK|RTSP/1.0 200 OK", end},
		"a line that is none":               {"RTSP/1.0 200 OK\r\ngarbage\r\n\r\n" + frame, "RTSP/1.0 200 OK|" + frame, end},
		"junk":                              {ok + "junk" + frame + "$\x63junk" + frame, "RTSP/1.0 200 OK|" + frame + "|" + frame, end},
		"channel that is set up":            {ok + "$\xc8\x00\x01x", "RTSP/1.0 200 OK|$\xc8\x00\x01x", end},
		"channel that is not":               {ok + "$\xc9\x00\x01x" + frame, "RTSP/1.0 200 OK|" + frame, end},
		"ten times junk":                    {ok + strings.Repeat("junk"+frame, 10), "RTSP/1.0 200 OK|" + strings.Repeat(frame+"|", 9) + frame, end},
		"too often junk":                    {ok + strings.Repeat("junk"+frame, 11), "RTSP/1.0 200 OK|" + strings.Repeat(frame+"|", 9) + frame, protocol},
		"too often junk, after blank lines": {ok + strings.Repeat("\r\njunk"+frame, 11), "RTSP/1.0 200 OK|" + strings.Repeat(frame+"|", 9) + frame, protocol},
		"too much junk":                     {ok + strings.Repeat("x", maxJunk+10), "RTSP/1.0 200 OK", protocol},
		"junk at first":                     {"junk" + ok, "", foreign},
		"HTTP":                              {"HTTP/1.1 200 OK\r\n\r\n", "", foreign},
		"half a frame":                      {ok + "$\x00\xff\xffabc", "RTSP/1.0 200 OK", end},
		"half a header":                     {ok + "RTSP/1.0 200", "RTSP/1.0 200 OK", end},
		"half a body":                       {"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nabc", "", end},
		"length of words":                   {"RTSP/1.0 200 OK\r\nContent-Length: many\r\n\r\n", "", protocol},
		"length too large":                  {"RTSP/1.0 200 OK\r\nContent-Length: 131073\r\n\r\n", "", protocol},
		"line too long":                     {"RTSP/1.0 200 OK\r\nA: " + strings.Repeat("x", maxLine) + "\r\n\r\n", "", protocol},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read([]byte(c.in))
			if strings.Join(got, "|") != c.want || !c.ends(err) {
				t.Errorf("got %q and %T %v, want %q", got, err, err, c.want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	for in, want := range map[string]int{
		"RTSP/1.0 200 OK": 200, "RTSP/1.0 404": 404, "RTSP/1.0  461 Not so": 461, "RTSP/1.1 200 OK": 200,
		"RTSP/2.0 200 OK": 0, "RTSP/1.0": 0, "RTSP/1.0 OK": 0, "RTSP/1.0 99 x": 0, "RTSP/1.0 -200 x": 0,
	} {
		code, _, err := (&message{start: in}).status()
		if code != want || (err == nil) != (want != 0) {
			t.Errorf("%q has status %d (%v), want %d", in, code, err, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 3\r\n\r\nabc$\x00\x00\x01x"))
	f.Add([]byte("$\x01\x00\x00$\xff\xff\xffOPTIONS"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := read(b); err == nil {
			t.Error("an end of input that is no error")
		}
	})
}
