package transport

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/ice/v4"
)

func framed(packets ...string) []byte {
	var b []byte
	for _, p := range packets {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
		b = append(b, p...)
	}
	return b
}

// dial connects to the TCP port as a peer does.
func dial(t testing.TB, p *Port, host string) *net.TCPConn {
	t.Helper()
	at := addrPortOf(p.streams.listener.Addr())
	c, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(int(at.Port()))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patient))
	return c.(*net.TCPConn)
}

func write(t testing.TB, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

// frame reads one packet.
func frame(t testing.TB, r io.Reader) string {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, binary.BigEndian.Uint16(head))
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ended wants a connection to be closed by the other side.
func ended(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := io.Copy(io.Discard, c); n > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes, then %v", n, err)
	}
}

func TestStreams(t *testing.T) {
	for name, c := range map[string]struct{ listen, host string }{
		"one address":    {"127.0.0.1:0", "127.0.0.1"},
		"all, over IPv4": {":0", "127.0.0.1"},
		"all, over IPv6": {":0", "::1"},
		"IPv6":           {"[::1]:0", "::1"},
	} {
		t.Run(name, func(t *testing.T) {
			p, in := listen(t, Options{ListenTCP: c.listen}), newInbox()
			run(t, p, in)
			v := dial(t, p, c.host)
			write(t, v, framed("", "hello", "again"))
			first, second := in.next(t), in.next(t)
			want := Path{Remote: addrPortOf(v.LocalAddr()), Local: netip.MustParseAddr(c.host), Conn: first.from.Conn}
			if first.data != "hello" || second.data != "again" || first.from != want || second.from != want || want.Conn == nil {
				t.Errorf("received %+v and %+v, want from %+v", first, second, want)
			}
			if err := p.WriteTo([]byte("back"), first.from); err != nil {
				t.Fatal(err)
			}
			b, d := p.NewBatch(), p.NewDestination(first.from)
			b.To(d)
			sent := datagrams(1200, 1200, 80)
			add(b, sent...)
			b.Flush()
			for _, want := range append([]string{"back"}, sent...) {
				if got := frame(t, v); got != want {
					t.Errorf("got %.6q, want %.6q", got, want)
				}
			}
			if s := p.Stats(); s.Sent.Datagrams != 4 || s.Received.Datagrams != 2 || d.Lost() != 0 {
				t.Errorf("counted %+v", s)
			}
			if err := p.WriteTo(make([]byte, MaxDatagram+1), first.from); reason(err) != TooLarge {
				t.Errorf("the error is %v", err)
			}
			first.from.Conn.Close()
			ended(t, v)
			<-first.from.Conn.Done()
			add(b, "late")
			if err := p.WriteTo([]byte("late"), first.from); reason(err) != Closed || d.LostBy(Closed) != 1 || p.Stats().Lost[Closed] != 2 {
				t.Errorf("the error is %v, lost %d", err, d.Lost())
			}
		})
	}
}

func reason(err error) Reason {
	var e *SendError
	if !errors.As(err, &e) {
		return reasons
	}
	return e.Reason
}

// TestUnclaimedStreamsAreBounded opens more connections that say nothing than are borne: they keep nobody out.
func TestUnclaimedStreamsAreBounded(t *testing.T) { // J101
	p, in := listen(t, Options{ListenTCP: "127.0.0.1:0"}), newInbox()
	run(t, p, in)
	silent := make([]*net.TCPConn, maxUnclaimed)
	for i := range silent {
		silent[i] = dial(t, p, "127.0.0.1")
		p.awaitUnclaimed(i + 1) // which makes it younger than those before
	}
	for i := range 20 {
		dial(t, p, "127.0.0.1")
		ended(t, silent[i])
	}
	for range 20 {
		write(t, dial(t, p, "127.0.0.1"), framed("hello"))
		in.next(t)
		p.awaitUnclaimed(maxUnclaimed - 1)
	}
	ended(t, silent[20]) // for the first of them
}

func (p *Port) awaitUnclaimed(want int) {
	for n := -1; n != want; {
		runtime.Gosched()
		p.streams.mu.Lock()
		n = len(p.streams.unclaimed)
		p.streams.mu.Unlock()
	}
}

// TestStreamsEndWithRun closes connections at the end of Run, but not those that were handed out.
func TestStreamsEndWithRun(t *testing.T) {
	p := listen(t, Options{ListenTCP: "127.0.0.1:0"})
	for range 2 {
		t.Run("", func(t *testing.T) {
			in := newInbox()
			in.takes = func(data []byte) bool { return string(data) == "mine" }
			var mine, silent, other *net.TCPConn
			var handed net.Conn
			t.Run("running", func(t *testing.T) {
				run(t, p, in)
				mine, silent, other = dialAgain(t, p), dialAgain(t, p), dialAgain(t, p)
				write(t, mine, framed("mine"))
				in.next(t)
				write(t, other, framed("other"))
				var err error
				if handed, err = p.OtherStreams().Accept(); err != nil {
					t.Fatal(err)
				}
			})
			ended(t, mine)
			ended(t, silent)
			if got := frame(t, handed); got != "other" {
				t.Errorf("handed out %q", got)
			}
			_ = handed.Close()
			ended(t, other)
		})
	}
}

// dialAgain connects for longer than a subtest lasts.
func dialAgain(t *testing.T, p *Port) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.streams.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patient))
	return c.(*net.TCPConn)
}

// TestOtherStreamsBesidePion has pion's mux read and write what belongs to no session of the fast way.
func TestOtherStreamsBesidePion(t *testing.T) {
	p, in := listen(t, Options{ListenTCP: "127.0.0.1:0"}), newInbox()
	in.takes = func([]byte) bool { return false }
	run(t, p, in)
	mux := ice.NewTCPMuxDefault(ice.TCPMuxParams{Listener: p.OtherStreams(), ReadBufferSize: 8})
	defer func() { _ = mux.Close() }()
	c, err := mux.GetConnByUfrag("ufrag", false, net.IPv4(127, 0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	v := dial(t, p, "127.0.0.1")
	request := string(binding("ufrag:other"))
	write(t, v, framed(request, "media"))
	b := make([]byte, 1500)
	for _, want := range []string{request, "media"} {
		n, _, err := c.ReadFrom(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("the mux got %q: %v", b[:n], err)
		}
	}
	if _, err = c.WriteTo([]byte("answer"), v.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if got := frame(t, v); got != "answer" {
		t.Errorf("the peer got %q", got)
	}
}

func TestListenTCP(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, err = Listen(t.Context(), Options{ListenUDP: "127.0.0.1:0", ListenTCP: taken.Addr().String(), Log: quiet()})
	var refused *ListenError
	if !errors.As(err, &refused) || !refused.TCP || !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "webrtc.listen_tcp") {
		t.Errorf("the error is %v", err)
	}
	p := listen(t, Options{})
	if p.OtherStreams() != nil || p.TCPCandidates(true) != nil {
		t.Error("there is a TCP port that nobody asked for")
	}
}

// A53
func TestTCPCandidates(t *testing.T) {
	machine := func() []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), alice.Addr(), netip.MustParseAddr("2001:db8::1")}
	}
	const v4, v6, nat, lo = " 192.0.2.1 ", " 2001:db8::1 ", " 198.51.100.1 ", " 127.0.0.1 "
	for name, c := range map[string]struct {
		listen   string
		loopback bool
		want     []string
	}{
		"all":                   {":0", false, []string{nat, v4, v6}},
		"all, for this machine": {":0", true, []string{nat, lo, v4, v6}},
		"IPv4":                  {"0.0.0.0:0", false, []string{nat, v4}},
		"IPv6":                  {"[::]:0", false, []string{nat, v6}},
		"loopback":              {"127.0.0.1:0", true, []string{nat, lo}},
		"loopback, of no use":   {"127.0.0.1:0", false, []string{nat}},
	} {
		t.Run(name, func(t *testing.T) {
			p := listen(t, Options{ListenTCP: c.listen, AdditionalHosts: []string{"198.51.100.1"}})
			p.hosts.list = machine
			got := p.TCPCandidates(c.loopback)
			if len(got) != len(c.want) {
				t.Fatalf("announced %q, want %q", got, c.want)
			}
			port := strconv.Itoa(int(addrPortOf(p.streams.listener.Addr()).Port()))
			for i, line := range got {
				want := "tcp" + strconv.Itoa(i) + " 1 tcp " + strconv.Itoa(1671430143-i) + c.want[i] + port + " typ host tcptype passive"
				if line != want {
					t.Errorf("announced\n%s\nwant\n%s", line, want)
				}
			}
			if !slices.IsSortedFunc(append(p.Candidates(true), got...), func(a, b string) int {
				return priority(t, b) - priority(t, a)
			}) {
				t.Error("TCP comes before UDP")
			}
		})
	}
}

func priority(t *testing.T, candidate string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Fields(candidate)[3])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
