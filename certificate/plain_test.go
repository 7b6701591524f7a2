package certificate

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPlainHTTP(t *testing.T) {
	addr := serve(t, testConfig(t), func(c net.Conn) { _ = c.Close() })
	for _, c := range []struct{ name, text, url string }{
		{"a page", "GET /door/ HTTP/1.1\r\nHost: door.lan:8889\r\n\r\n", "https://door.lan:8889/door/"},
		{"the query is not told", "GET /door/?token=x HTTP/1.1\r\nHost: door.lan\r\n\r\n", "https://door.lan/door/"},
		{"an address", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8889\r\n\r\n", "https://[2001:db8::1]:8889/"},
		{"with a body", "POST /whip HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "https://a/whip"},
		{"odd path", "GET /a%20%3Cb%3E HTTP/1.1\r\nHost: a\r\n\r\n", "https://a/a%20%3Cb%3E"},
		{"no Host", "GET / HTTP/1.0\r\n\r\n", "https://" + addr + "/"},
		{"odd Host", "GET / HTTP/1.1\r\nHost: a<b>\r\n\r\n", "https://" + addr + "/"},
		{"Host with user", "GET / HTTP/1.1\r\nHost: evil@a\r\n\r\n", "https://" + addr + "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err = conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err = io.WriteString(conn, c.text); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			text, err := io.ReadAll(r.Body)
			if want := "This port speaks HTTPS: open " + c.url + "\n"; err != nil || string(text) != want || r.StatusCode != 400 {
				t.Errorf("%d %q, %v\nwant: %q", r.StatusCode, text, err, want)
			}
		})
	}
}

// heard is a connection with all its input, that keeps what is written.
type heard struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
}

func (h *heard) Read(p []byte) (int, error)  { return h.in.Read(p) }
func (h *heard) Write(p []byte) (int, error) { return h.out.Write(p) }
func (h *heard) LocalAddr() net.Addr         { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8889} }

func FuzzRefusePlain(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: door.lan:8889\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET http://a<b>/ HTTP/1.1\r\nHost: c\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "G",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		h := &heard{in: bytes.NewReader(text)}
		refusePlain(h)
		if h.out.Len() == 0 {
			return
		}
		r, err := http.ReadResponse(bufio.NewReader(&h.out), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		said, err := io.ReadAll(r.Body)
		if err != nil || h.out.Len() != 0 || r.StatusCode != 400 {
			t.Fatalf("%d %q, %v, then %q", r.StatusCode, said, err, h.out.String())
		}
		if !strings.HasPrefix(string(said), "This port speaks HTTPS: open https://") || strings.ContainsAny(string(said), "\r<>\x00") || strings.Count(string(said), "\n") != 1 {
			t.Fatalf("it says %q", said)
		}
	})
}
