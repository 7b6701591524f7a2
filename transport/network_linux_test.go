package transport

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// network is a cable between two hosts. The test is one of them: its sockets are opened here.
type network struct {
	t           *testing.T
	here, there int // their network namespaces
}

// The addresses of both.
const (
	here4, there4 = "10.77.0.1", "10.77.0.2"
	here6, there6 = "2001:db8::1", "2001:db8::2"
)

// newNetwork takes the calling test out of the machine's network. Its thread ends with it.
func newNetwork(t *testing.T) *network {
	t.Helper()
	runtime.LockOSThread()
	n := &network{t: t}
	for _, fd := range []*int{&n.there, &n.here} {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			if os.Getuid() == 0 {
				t.Fatalf("make a network: %v", err)
			}
			t.Skipf("a network of its own needs root: %v", err)
		}
		var err error
		if *fd, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(*fd) })
		n.ip("link", "set", "lo", "up")
	}
	n.ip("link", "add", "here", "type", "veth", "peer", "name", "there")
	n.ip("link", "set", "there", "netns", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.there))
	n.plug("here", here4, here6)
	n.elsewhere(func() { n.plug("there", there4, there6) })
	return n
}

func (n *network) plug(end, v4, v6 string) {
	n.ip("address", "add", v4+"/24", "dev", end)
	n.ip("address", "add", v6+"/64", "dev", end, "nodad")
	n.ip("link", "set", end, "up")
}

// elsewhere does something as the other host.
func (n *network) elsewhere(f func()) {
	n.t.Helper()
	for _, fd := range []int{n.there, n.here} {
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			n.t.Fatal(err)
		}
		if fd == n.there {
			f()
		}
	}
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.CommandContext(n.t.Context(), "ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// TestNarrowPath sends to a viewer whose path is narrower than our datagrams: all arrive, in fragments.
func TestNarrowPath(t *testing.T) {
	for name, c := range map[string]struct{ host, mtu string }{
		"IPv4": {there4, "1000"},
		"IPv6": {there6, "1280"}, // the least that IPv6 has; with its headers datagrams of 1300 are too large
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.ip("link", "set", "here", "mtu", c.mtu)
			v := elsewhereViewer(t, n, c.host)
			p := listen(t, Options{ListenUDP: ":0", GSO: true, Sockets: 1})
			d, b := p.NewDestination(Path{Remote: addrOf(v)}), p.NewBatch()
			b.To(d)
			sent := datagrams(append(repeat(20, 1300), 50)...)
			for range 2 {
				add(b, sent...)
				b.Flush()
			}
			for i, want := range slices.Concat(sent, sent) {
				if got, _ := receive(t, v); got != want {
					t.Fatalf("datagram %d is %d bytes beginning %.6q", i, len(got), got)
				}
			}
			s := p.Stats()
			if d.Lost() != 0 || s.Sent.Datagrams != 42 || s.GSO && !d.plain.Load() {
				t.Errorf("%d lost, plain %t: %v, %+v", d.Lost(), d.plain.Load(), d.Fault(), s)
			}
		})
	}
}

func elsewhereViewer(t *testing.T, n *network, host string) (v *net.UDPConn) {
	t.Helper()
	n.elsewhere(func() { v = viewer(t, netip.AddrPortFrom(netip.MustParseAddr(host), 0).String()) })
	return v
}

// TestInterfaceAddressChanges takes the address away that a viewer has reached us at, and the network for a while.
func TestInterfaceAddressChanges(t *testing.T) {
	for name, c := range map[string]struct{ old, first, viewer, prefix string }{
		"IPv4": {"10.77.0.3", here4, there4, "/24"},
		"IPv6": {"2001:db8::3", here6, there6, "/64"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.ip("address", "add", c.old+c.prefix, "dev", "here", "nodad")
			v := elsewhereViewer(t, n, c.viewer)
			p, in := listen(t, Options{ListenUDP: ":0", GSO: true, Sockets: 1}), newInbox()
			run(t, p, in)
			at := func(a string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(a), p.Addr().Port()) }
			hello(t, v, at(c.old))
			d, b := p.NewDestination(in.next(t).from), p.NewBatch()
			b.To(d)
			sees := func(from string) {
				t.Helper()
				for i := range 5 {
					if _, got := receive(t, v); got != at(from) {
						t.Fatalf("datagram %d comes from %v, want %s", i, got, from)
					}
				}
			}
			send := func() { add(b, datagrams(repeat(5, 1188)...)...); b.Flush() }
			send()
			sees(c.old)
			n.ip("address", "del", c.old+c.prefix, "dev", "here")
			send()
			sees(c.first)
			if d.Lost() != 0 || d.plain.Load() {
				t.Errorf("%d lost, plain %t", d.Lost(), d.plain.Load())
			}
			checkAnnounced(t, p, c.old, c.first)
			n.ip("link", "set", "here", "down")
			send()
			checkLoss(t, d, 5, Unreachable)
		})
	}
}

func hello(t *testing.T, v *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	if _, err := v.WriteToUDPAddrPort([]byte("hello"), to); err != nil {
		t.Fatal(err)
	}
}

// checkAnnounced wants an address that has gone not to be announced.
func checkAnnounced(t *testing.T, p *Port, gone, there string) {
	t.Helper()
	p.hosts.at = time.Time{} // a second later
	all := strings.Join(p.Candidates(false), "\n")
	if strings.Contains(all, " "+gone+" ") || !strings.Contains(all, " "+there+" ") {
		t.Errorf("announces\n%s", all)
	}
}

// TestBarredPath leaves the other viewers alone when one can't be reached.
func TestBarredPath(t *testing.T) {
	for kind, want := range map[string]Reason{"prohibit": Forbidden, "unreachable": Unreachable, "blackhole": Unreachable} {
		t.Run(kind, func(t *testing.T) {
			n := newNetwork(t)
			n.ip("route", "add", kind, "192.0.2.0/24")
			v := elsewhereViewer(t, n, there4)
			p := listen(t, Options{ListenUDP: ":0", GSO: true, Sockets: 1})
			barred, good, b := p.NewDestination(Path{Remote: alice}), p.NewDestination(Path{Remote: addrOf(v)}), p.NewBatch()
			sent := datagrams(repeat(3, 1000)...)
			for _, d := range []*Destination{barred, good, barred} {
				b.To(d)
				add(b, sent...)
			}
			b.Flush()
			for _, want := range sent {
				if got, _ := receive(t, v); got != want {
					t.Errorf("received %.6q", got)
				}
			}
			checkLoss(t, barred, 6, want)
			checkLoss(t, good, 0, want)
		})
	}
}
