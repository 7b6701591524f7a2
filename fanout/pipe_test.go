package fanout

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func testPipe(write func([]byte) error) *pipe {
	return newPipe(netip.MustParseAddrPort("192.0.2.1:5000"), write)
}

func TestPipeKeepsBounds(t *testing.T) {
	p, buf := testPipe(nil), make([]byte, 3000)
	p.deliver(make([]byte, pipeDatagram+1))
	p.deliver(nil)
	for range 1000 {
		p.deliver(make([]byte, pipeDatagram))
	}
	if n := len(p.queue); n != pipeQueue || p.left != pipeBudget-pipeQueue {
		t.Fatalf("%d datagrams wait, and %d more are taken", n, p.left)
	}
	if n, from, err := p.ReadFrom(buf); n != pipeDatagram || from.String() != "192.0.2.1:5000" || err != nil {
		t.Fatalf("read %d from %v: %v", n, from, err)
	}
	for range 10 * pipeBudget {
		p.deliver(buf[:1])
		<-p.queue
		if p.left == 0 {
			break
		}
	}
	for len(p.queue) > 0 {
		<-p.queue
	}
	if p.deliver(buf[:1]); p.left != 0 || len(p.queue) != 0 {
		t.Errorf("after all that it takes %d more", p.left)
	}
}

func TestPipeCopies(t *testing.T) {
	p, data := testPipe(nil), []byte("hello")
	p.deliver(data)
	copy(data, "XXXXX")
	buf := make([]byte, 10)
	if n, _, _ := p.ReadFrom(buf); string(buf[:n]) != "hello" {
		t.Errorf("read %q", buf[:n])
	}
}

func TestPipeDeadlines(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(p *pipe)
		want time.Duration
		err  error
	}{
		"passed":          {func(p *pipe) { _ = p.SetDeadline(time.Unix(1, 0)) }, 0, os.ErrDeadlineExceeded},
		"to come":         {func(p *pipe) { _ = p.SetReadDeadline(time.Now().Add(time.Second)) }, time.Second, os.ErrDeadlineExceeded},
		"while it waits":  {after(time.Second, func(p *pipe) { _ = p.SetReadDeadline(time.Unix(1, 0)) }), time.Second, os.ErrDeadlineExceeded},
		"sooner":          {func(p *pipe) { sooner(p, 9*time.Second, 2*time.Second) }, 2 * time.Second, os.ErrDeadlineExceeded},
		"later":           {func(p *pipe) { sooner(p, 2*time.Second, 9*time.Second) }, 9 * time.Second, os.ErrDeadlineExceeded},
		"withdrawn":       {after(time.Hour, (*pipe).close, withdraw), time.Hour, net.ErrClosed},
		"of writing":      {after(time.Hour, (*pipe).close, func(p *pipe) { _ = p.SetWriteDeadline(time.Unix(1, 0)) }), time.Hour, net.ErrClosed},
		"closed":          {(*pipe).close, 0, net.ErrClosed},
		"closed with one": {func(p *pipe) { sooner(p, time.Second, time.Minute); p.close(); p.close() }, 0, net.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, began := testPipe(nil), time.Now()
				c.set(p)
				if _, _, err := p.ReadFrom(make([]byte, 10)); !errors.Is(err, c.err) {
					t.Errorf("reading ends with %v", err)
				}
				if got := time.Since(began); got != c.want {
					t.Errorf("reading ends after %v", got)
				}
				p.close()
			})
		})
	}
}

// after does something at once, if there is more, and the first after a while.
func after(d time.Duration, then func(p *pipe), now ...func(p *pipe)) func(p *pipe) {
	return func(p *pipe) {
		for _, f := range now {
			f(p)
		}
		time.AfterFunc(d, func() { then(p) })
	}
}

func sooner(p *pipe, first, second time.Duration) {
	_ = p.SetReadDeadline(time.Now().Add(first))
	_ = p.SetReadDeadline(time.Now().Add(second))
}

func withdraw(p *pipe) {
	_ = p.SetReadDeadline(time.Now().Add(time.Second))
	_ = p.SetReadDeadline(time.Time{})
}

func TestPipeWrites(t *testing.T) {
	var wrote string
	broken := errors.New("no way out")
	p := testPipe(func(b []byte) error { wrote += string(b); return nil })
	if n, err := p.WriteTo([]byte("one"), nil); n != 3 || err != nil || wrote != "one" {
		t.Errorf("wrote %d bytes, %q: %v", n, wrote, err)
	}
	p.redirect(nil)
	if n, err := p.WriteTo([]byte("two"), nil); n != 3 || err != nil || wrote != "one" {
		t.Errorf("wrote %d bytes, %q: %v", n, wrote, err)
	}
	p.redirect(func([]byte) error { return broken })
	if n, err := p.WriteTo([]byte("three"), nil); n != 0 || !errors.Is(err, broken) {
		t.Errorf("wrote %d bytes: %v", n, err)
	}
	_ = p.Close()
	if _, err := p.WriteTo([]byte("four"), nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed pipe is written to: %v", err)
	}
}

func TestEncryptedRecords(t *testing.T) {
	record := func(epoch byte, body string) string {
		return "\x16\xFE\xFD\x00" + string(epoch) + "\x00\x00\x00\x00\x00\x00\x00" + string(rune(len(body))) + body
	}
	plain, secret := record(0, "certificate"), record(1, "finished")
	for name, c := range map[string]struct{ data, want string }{
		"empty": {"", ""}, "plain": {plain, ""}, "encrypted": {secret, secret}, "two": {secret + secret, secret + secret},
		"a flight": {plain + plain + secret, secret}, "plain at the end": {secret + plain, ""}, "in the middle": {secret + plain + secret, secret},
		"cut short": {secret[:len(secret)-1], ""}, "half a header": {secret + secret[:5], ""},
	} {
		if got := string(encrypted([]byte(c.data))); got != c.want {
			t.Errorf("%s: %q is taken", name, got)
		}
	}
}

// FuzzRecords reads datagrams that claim to be DTLS.
func FuzzRecords(f *testing.F) {
	for _, data := range spoofed() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for rest := encrypted(data); len(rest) > 0; {
			if len(rest) < recordHeader || rest[3] == 0 && rest[4] == 0 {
				t.Fatalf("a plain record is taken: %x", rest)
			}
			rest = rest[recordHeader+int(rest[11])<<8+int(rest[12]):]
		}
		if isAlert(data) && len(encrypted(data)) != len(data) {
			t.Errorf("%x is an encrypted alert and not encrypted", data)
		}
	})
}
