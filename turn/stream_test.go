package turn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// addressed is a pipe with an address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return udpAddr(udpPort(1)) }

// J101, J102: a connection without an allocation lives for 10 s whatever it says; one with, as long as it finishes
// what it begins to say within 10 s.
func TestStreamDeadlines(t *testing.T) {
	binding := bare(stun.MethodBinding)
	cases := []struct {
		name   string
		relays bool
		say    func(net.Conn)
		whole  int // messages that are read
		after  time.Duration
	}{
		{"silence", false, func(net.Conn) {}, 0, patience},
		{"a byte", false, func(c net.Conn) { say(c, binding[:1]) }, 0, patience},
		{"bytes that trickle", false, func(c net.Conn) {
			for _, b := range binding {
				time.Sleep(time.Second)
				say(c, []byte{b})
			}
		}, 0, patience},
		{"bindings for ever", false, func(c net.Conn) {
			for range 20 {
				time.Sleep(900 * time.Millisecond)
				say(c, binding)
			}
		}, 11, patience},
		{"a length that lies", false, func(c net.Conn) { say(c, []byte{0, 1, 0xFF, 0xFF}) }, 0, patience},
		{"channel data whose length lies", true, func(c net.Conn) {
			time.Sleep(time.Minute)
			say(c, []byte{0x40, 0, 0xFF, 0xFF})
		}, 0, time.Minute + patience},
		{"half a message after a minute", true, func(c net.Conn) {
			time.Sleep(time.Minute)
			say(c, binding)
			time.Sleep(time.Minute)
			say(c, binding[:10])
		}, 1, 2*time.Minute + patience},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				s, began := newStream(addressed{near}), time.Now()
				if c.relays {
					s.relaying(true)
				}
				var saying sync.WaitGroup
				saying.Go(func() { c.say(far) })
				whole, err := readAll(s)
				if !errors.Is(err, os.ErrDeadlineExceeded) || whole != c.whole || time.Since(began) != c.after {
					t.Errorf("%d messages, then %v after %v", whole, err, time.Since(began))
				}
				near.Close()
				far.Close()
				saying.Wait()
			})
		})
	}
}

// say writes what a closed pipe need not take.
func say(c net.Conn, p []byte) { _, _ = c.Write(p) }

func readAll(s *stream) (whole int, err error) {
	buf := make([]byte, maxDatagram)
	for {
		if _, _, err := s.read(buf); err != nil {
			return whole, err
		}
		whole++
	}
}

// J102: the end of the allocation starts the 10 s anew, also for a read that waits.
func TestStreamEndsAfterItsAllocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s, began := newStream(addressed{near}), time.Now()
		s.relaying(true)
		time.AfterFunc(time.Hour, func() { s.relaying(false) })
		if _, err := readAll(s); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour+patience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		far.Close()
	})
}

// A viewer that reads nothing loses the connection, not the relay's goroutine.
func TestStreamOfOneWhoDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		s, began := newStream(addressed{near}), time.Now()
		if err := s.write([]byte("hello"), s.client); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != patience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := s.write([]byte("hello"), s.client); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("then %v", err)
		}
		far.Close()
	})
}

var frames = []struct {
	name string
	in   []byte
	out  []byte // of the first message; nil: refused
}{
	{"binding", binding20, binding20},
	{"channel data", []byte{0x40, 0, 0, 4, 1, 2, 3, 4}, []byte{0x40, 0, 0, 4, 1, 2, 3, 4}},
	{"padded", []byte{0x40, 0, 0, 1, 1, 0, 0, 0}, []byte{0x40, 0, 0, 1, 1}},
	{"empty channel data", []byte{0x40, 0, 0, 0}, []byte{0x40, 0, 0, 0}},
	{"long STUN", append(changed(changed(binding20, 2, 0xFF), 3, 0xFC), make([]byte, 0xFFFC)...), binding20},
	{"long channel data", slicesOf([]byte{0x40, 0, 0xFF, 0xFF}, make([]byte, 0x10000), binding20), binding20},
	{"RTP", []byte{0x80, 0, 0, 0, 0, 0, 0, 0}, nil},
	{"TLS alert", []byte{0x15, 3, 1, 0, 2, 2, 40}, nil},
	{"text", []byte("GET / HTTP/1.1\r\n\r\n"), nil},
	{"nothing", nil, nil},
}

var binding20 = []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// J102
func TestFraming(t *testing.T) {
	for _, c := range frames {
		t.Run(c.name, func(t *testing.T) {
			buf := make([]byte, maxDatagram)
			n, _, err := newStream(source1(c.in)).read(buf)
			if (err == nil) != (c.out != nil) || err == nil && !bytes.Equal(buf[:n], c.out) {
				t.Errorf("%x, %v", buf[:n], err)
			}
		})
	}
}

func FuzzFraming(f *testing.F) {
	for _, c := range frames {
		f.Add(c.in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		s, buf := newStream(source1(in)), make([]byte, maxDatagram)
		for range len(in) + 1 {
			n, _, err := s.read(buf)
			if err != nil {
				return
			}
			if n < channelHeader || buf[0]>>6 > 1 {
				t.Fatalf("%x is no message", buf[:n])
			}
		}
		t.Error("there are more messages than bytes")
	})
}

// said is a connection that has said all that it will.
type said struct {
	addressed
	r io.Reader
}

func source1(p []byte) said { return said{r: bytes.NewReader(p)} }

func (s said) Read(p []byte) (int, error)    { return s.r.Read(p) }
func (said) SetReadDeadline(time.Time) error { return nil }

// J101, G7: what is no TLS 1.2 is refused, and TURN is spoken with its ALPN or none.
func TestTLS(t *testing.T) {
	s := serve(t, func(o *Options) {
		o.ListenTLS = "127.0.0.1:0"
		o.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}, NextProtos: []string{"h2"}}
	})
	at := s.Addrs().TLS.String()
	cases := []struct {
		name   string
		config *tls.Config
		ok     bool
	}{
		{"stun.turn", &tls.Config{NextProtos: []string{"stun.turn"}}, true},
		{"no ALPN", &tls.Config{}, true},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"TLS 1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}, false},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"HTTP", &tls.Config{NextProtos: []string{"h2"}}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.config.InsecureSkipVerify = true
			conn, err := tls.Dial("tcp", at, c.config)
			if (err == nil) != c.ok {
				t.Fatal(err)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
	plain, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := plain.Write(bare(stun.MethodBinding)); err != nil {
		t.Fatal(err)
	}
	_ = plain.SetReadDeadline(time.Now().Add(patientTest))
	if _, err := io.ReadAll(plain); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("plain bytes leave the connection open")
	}
	waitFor(t, func() bool { return s.Stats().Connections == 0 })
}

func dialTCP(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addrs().TCP.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// J96: a user name of 64 KiB gets a challenge.
func TestLongUsernameOverTCP(t *testing.T) {
	s := serve(t, nil)
	conn := dialTCP(t, s)
	p := bare(stun.MethodAllocate, stun.RawAttribute{Type: stun.AttrUsername, Value: []byte(strings.Repeat("x", 65000))})
	if _, err := conn.Write(p); err != nil {
		t.Fatal(err)
	}
	a := &asker{t: t, conn: conn}
	if code := errorOf(a.receive()); code != 401 {
		t.Errorf("error %d", code)
	}
}

// G7: connections of a shared port are served like our own; once the server has ended they are closed.
func TestServe(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, func(o *Options) { o.ListenTCP = "" }, media)
	near, far := tcpPair(t)
	s.Serve(near)
	username, credential := Mint(secret, "one", time.Hour, time.Now())
	v := newViewer(t, pion.NewSTUNConn(far), addrPort(far.RemoteAddr()), username, credential)
	v.allocate(t)
	if err := v.exchange(media, "hello"); err != nil {
		t.Error(err)
	}
	s.hangUp()
	late, other := tcpPair(t)
	s.Serve(late)
	if _, err := other.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
}

func tcpPair(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// certificate is for 127.0.0.1, signed by itself.
func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{netip.MustParseAddr("127.0.0.1").AsSlice()},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
