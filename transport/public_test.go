package transport

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// outsideWorld is STUN servers and what they see of the port.
type outsideWorld struct {
	finder *finder

	mu    sync.Mutex
	sees  map[netip.AddrPort]string // guarded by mu; by server; "": it does not answer
	own   []netip.AddrPort          // guarded by mu
	times []time.Time               // guarded by mu: of the requests
}

func (w *outsideWorld) send(data []byte, to netip.AddrPort) error {
	w.mu.Lock()
	w.times = append(w.times, time.Now())
	public := w.sees[to]
	w.mu.Unlock()
	if public == "" {
		return errors.New("unreachable")
	}
	id := transaction(data[8:])
	w.finder.take(reply(newTransaction(), public), Path{Remote: to})
	w.finder.take(reply(id, public), Path{Remote: netip.AddrPortFrom(bob.Addr(), 1)})
	w.finder.take(reply(id, public), Path{Remote: to, Conn: &StreamConn{}})
	w.finder.take(reply(id, public), Path{Remote: to})
	w.finder.take(reply(id, "198.51.100.66:6"), Path{Remote: to})
	return nil
}

func (w *outsideWorld) set(server, public string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sees[netip.MustParseAddrPort(server)] = public
}

func (w *outsideWorld) setOwn(own ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.own = nil
	for _, a := range own {
		w.own = append(w.own, netip.MustParseAddrPort(a))
	}
}

func (w *outsideWorld) addresses() []netip.AddrPort {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own
}

func (w *outsideWorld) sent() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.times)
}

// reply is a success that tells an address.
func reply(id transaction, public string) []byte {
	a := netip.MustParseAddrPort(public)
	value := []byte{0, 1}
	if a.Addr().Is6() {
		value[1] = 2
	}
	value = binary.BigEndian.AppendUint16(value, a.Port())
	value = append(value, a.Addr().AsSlice()...)
	b := binary.BigEndian.AppendUint16(nil, bindingSuccess)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(value)))
	b = append(binary.BigEndian.AppendUint32(b, stunCookie), id[:]...)
	for i := range value[2:] {
		mask := i // the port is combined with the cookie's first bytes, and so is the address
		if i >= 2 {
			mask = i - 2
		}
		value[2+i] ^= b[4+mask]
	}
	b = binary.BigEndian.AppendUint16(b, xorMappedAddress)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

// finding runs a finder in a bubble, until its end.
func finding(t *testing.T, servers ...string) (*outsideWorld, *transcript) {
	t.Helper()
	log := &transcript{}
	w := &outsideWorld{sees: map[netip.AddrPort]string{}}
	w.setOwn("192.168.1.2:8189", "[2001:db8::2]:8189")
	f, err := newFinder(&Port{}, Options{STUNServers: servers, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	f.send, f.own, f.serves = w.send, w.addresses, func(netip.Addr) bool { return true }
	w.finder = f
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() { defer close(done); f.run(ctx) }()
	return w, log
}

const (
	server1, server2, server6 = "192.0.2.11:3478", "192.0.2.12:5000", "[2001:db8:1::1]:3478"
	url1, url2, url6          = "stun:192.0.2.11", "stun:192.0.2.12:5000?transport=udp", "stun:[2001:db8:1::1]"
	seen                      = "198.51.100.1:8189"
)

// A59
func TestPublicAddress(t *testing.T) {
	for name, c := range map[string]struct {
		urls []string
		sees map[string]string
		want []string
		told string
	}{
		"one server":           {[]string{url1}, map[string]string{server1: seen}, []string{seen}, "address=" + seen},
		"another port":         {[]string{url1}, map[string]string{server1: "198.51.100.1:40000"}, []string{"198.51.100.1:40000"}, "address=198.51.100.1:40000"},
		"two agree":            {[]string{url1, url2}, map[string]string{server1: seen, server2: seen}, []string{seen}, "address=" + seen},
		"one of two answers":   {[]string{url1, url2}, map[string]string{server2: seen}, []string{seen}, "address=" + seen},
		"symmetric NAT":        {[]string{url1, url2}, map[string]string{server1: seen, server2: "198.51.100.1:40000"}, nil, "symmetric NAT"},
		"two addresses":        {[]string{url1, url2}, map[string]string{server1: seen, server2: "198.51.100.2:8189"}, nil, "symmetric NAT"},
		"server on this side":  {[]string{url1, url2}, map[string]string{server1: "192.168.1.2:8189", server2: seen}, []string{seen}, "address=" + seen},
		"no NAT":               {[]string{url6}, map[string]string{server6: "[2001:db8::2]:8189"}, nil, ""},
		"both families":        {[]string{url6, url1}, map[string]string{server6: "[2001:db8:2::2]:8189", server1: seen}, []string{seen, "[2001:db8:2::2]:8189"}, "address=" + seen},
		"IPv4 alone symmetric": {[]string{url1, url2, url6}, map[string]string{server1: seen, server2: "198.51.100.1:1", server6: "[2001:db8:2::2]:8189"}, []string{"[2001:db8:2::2]:8189"}, "symmetric NAT"},
		"silence":              {[]string{url1, url2}, nil, nil, "no STUN server answers"},
		"loopback":             {[]string{url1}, map[string]string{server1: "127.0.0.1:8189"}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, log := finding(t, c.urls...)
				for server, public := range c.sees {
					w.set(server, public)
				}
				time.Sleep(10 * keepInterval)
				w.check(t, c.want...)
				if told := log.String(); strings.Count(told, c.told) != 1 && c.told != "" || c.told == "" && told != "" {
					t.Errorf("told, want %q once:\n%s", c.told, told)
				}
			})
		})
	}
}

func (w *outsideWorld) check(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	for _, a := range w.finder.addresses() {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// A59: the mapping of the NAT is kept by requests less than 30 s apart, and what is found stays when servers are silent.
func TestPublicAddressIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, log := finding(t, url1)
		w.set(server1, seen)
		time.Sleep(time.Minute)
		times := w.sent()
		for i, at := range times[1:] {
			if gap := at.Sub(times[i]); gap > keepInterval {
				t.Errorf("nothing is sent for %v", gap)
			}
		}
		if len(times) != 3 {
			t.Errorf("%d requests in a minute, want 3", len(times))
		}
		w.set(server1, "")
		time.Sleep(5 * time.Minute)
		w.check(t, seen)
		w.set(server1, "198.51.100.7:8189")
		time.Sleep(time.Minute)
		w.check(t, "198.51.100.7:8189")
		checkTold(t, log, "address="+seen, "no STUN server answers", "address=198.51.100.7:8189")
	})
}

// A59: another network is another NAT.
func TestPublicAddressAfterAnInterfaceChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := finding(t, url1)
		w.set(server1, seen)
		time.Sleep(time.Second)
		w.check(t, seen)
		w.set(server1, "203.0.113.9:8189")
		w.setOwn("10.0.0.2:8189")
		time.Sleep(changeInterval + time.Millisecond)
		w.check(t, "203.0.113.9:8189")
		w.set(server1, "")
		w.setOwn()
		time.Sleep(changeInterval + time.Millisecond)
		w.check(t)
	})
}

// A59: a NAT is symmetric until two servers agree, even while one of them is silent.
func TestOneVoiceDoesNotMendASymmetricNAT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := finding(t, url1, url2)
		w.set(server1, seen)
		w.set(server2, "198.51.100.1:40000")
		time.Sleep(time.Second)
		w.set(server2, "")
		time.Sleep(5 * time.Minute)
		w.check(t)
		w.set(server2, seen)
		time.Sleep(time.Minute)
		w.check(t, seen)
	})
}

// logLines are what a log is told.
type logLines chan string

func (l logLines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func (l logLines) await(t *testing.T, words string) {
	t.Helper()
	for late := time.After(patient); ; {
		select {
		case line := <-l:
			if strings.Contains(line, words) {
				return
			}
		case <-late:
			t.Fatalf("%q is not told", words)
		}
	}
}

// A59: through the real port, whose receiver sees no reply, and whose candidates begin with the public address (A55).
func TestPublicAddressOfAPort(t *testing.T) {
	server := viewer(t, "127.0.0.1:0")
	log := make(logLines, 100)
	p, in := listen(t, Options{
		STUNServers: []string{"stun:" + addrOf(server).String()}, Sockets: 1, Log: slog.New(slog.NewTextHandler(log, nil)),
	}), newInbox()
	if got := p.Public(); got != nil {
		t.Errorf("knows %v before it has asked", got)
	}
	run(t, p, in)
	data, from := receive(t, server)
	if from != p.Addr() || data[:2] != "\x00\x01" {
		t.Fatalf("%x from %v", data, from)
	}
	stranger := viewer(t, "127.0.0.1:0")
	answer := string(reply(transaction([]byte(data[8:20])), seen))
	for _, s := range []struct {
		from interface {
			WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
		}
		data string
	}{{stranger, answer}, {server, answer}, {server, answer}, {server, "media"}} {
		if _, err := s.from.WriteToUDPAddrPort([]byte(s.data), p.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []arrival{{answer, Path{Remote: addrOf(stranger)}}, {answer, Path{Remote: addrOf(server)}}, {"media", Path{Remote: addrOf(server)}}} {
		if got := in.next(t); got.data != want.data || got.from.Remote != want.from.Remote {
			t.Errorf("the receiver gets %.20q from %v, want %.20q from %v", got.data, got.from.Remote, want.data, want.from.Remote)
		}
	}
	want := netip.MustParseAddrPort(seen)
	log.await(t, "address="+seen)
	if got := p.Public(); !slices.Equal(got, []netip.AddrPort{want}) {
		t.Errorf("found %v", got)
	}
	if all := p.Candidates(true); len(all) != 2 || !strings.HasSuffix(all[0], " 198.51.100.1 8189 typ host") || !p.Owns(want.Addr()) {
		t.Errorf("announces %q", all)
	}
}

func TestSTUNServerURLs(t *testing.T) {
	for url, want := range map[string]string{
		"stun:stun.example.com": "stun.example.com 3478", "stun:192.0.2.1:19302": "192.0.2.1 19302",
		"stun:[2001:db8::1]": "2001:db8::1 3478", "stun:[2001:db8::1]:5000": "2001:db8::1 5000",
		"stun:stun.example.com?transport=udp": "stun.example.com 3478",
		"stun:":                               "", "stuns:stun.example.com": "", "turn:stun.example.com": "", "stun:host:0": "", "stun:host:99999": "", "stun::3478": "", "": "",
	} {
		p, err := Listen(t.Context(), Options{ListenUDP: "127.0.0.1:0", STUNServers: []string{url}, Log: quiet()})
		if want == "" {
			if !errors.As(err, new(*STUNServerError)) {
				t.Errorf("%q: %v", url, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", url, err)
			continue
		}
		if f := p.finder; f.servers.hosts[0] != strings.Fields(want)[0] || f.ports[0] != netip.MustParseAddrPort("0.0.0.0:"+strings.Fields(want)[1]).Port() {
			t.Errorf("%q is %s port %d", url, f.servers.hosts[0], f.ports[0])
		}
		_ = p.Close()
	}
}
