package transport

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// A temporary address (RFC 8981) is announced only where its network has no other.
func TestTemporaryAddresses(t *testing.T) {
	at := func(prefix string, flags uint32) assigned { return assigned{netip.MustParsePrefix(prefix), flags} }
	stable, temporary := at("2001:db8::1/64", unix.IFA_F_PERMANENT), at("2001:db8::9:9/64", unix.IFA_F_TEMPORARY)
	other, second := at("2001:db8:1::9/64", unix.IFA_F_TEMPORARY), at("192.0.2.2/24", unix.IFA_F_SECONDARY)
	for name, c := range map[string]struct{ all, want []assigned }{
		"beside the stable one":  {[]assigned{temporary, stable}, []assigned{stable}},
		"alone":                  {[]assigned{temporary}, []assigned{temporary}},
		"in another network":     {[]assigned{stable, other}, []assigned{stable, other}},
		"second address of IPv4": {[]assigned{at("192.0.2.1/24", 0), second}, []assigned{at("192.0.2.1/24", 0), second}},
	} {
		var want []netip.Addr
		for _, a := range c.want {
			want = append(want, a.Addr())
		}
		if got := announced(c.all); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// A53: of a machine with several interfaces, the address stands first that others reach; none that is going or not sure
// to be ours is announced, no link-local one, and no address twice.
func TestAnnouncedInterfaces(t *testing.T) {
	n := newNetwork(t)
	n.ip("link", "add", "bridge", "type", "veth", "peer", "name", "bridged")
	n.ip("address", "add", "172.17.0.1/16", "dev", "bridged")
	n.ip("address", "add", "fd00::1/64", "dev", "bridged", "nodad")
	n.ip("link", "set", "bridge", "up")
	n.ip("link", "set", "bridged", "up")
	n.ip("address", "add", "10.77.0.9/24", "dev", "here")
	n.ip("address", "add", here4+"/32", "dev", "bridged")                                                        // a second time
	n.ip("address", "add", "2001:db8::77/64", "dev", "here", "nodad", "valid_lft", "1000", "preferred_lft", "0") // deprecated
	n.ip("route", "add", "default", "via", "10.77.0.2", "dev", "here", "src", "10.77.0.9")
	n.ip("route", "add", "default", "via", there6, "dev", "here")
	p := listen(t, Options{ListenUDP: ":0", Sockets: 1})
	got := p.Addresses()
	hosts := make([]string, len(got))
	for i, a := range got {
		hosts[i] = a.Addr().String()
	}
	if len(hosts) < 2 || hosts[0] != "10.77.0.9" || hosts[1] != here6 {
		t.Errorf("announces %v, want those of the default routes first", hosts)
	}
	slices.Sort(hosts)
	if want := []string{here4, "10.77.0.9", "127.0.0.1", "172.17.0.1", here6, "::1", "fd00::1"}; !slices.Equal(hosts, want) {
		t.Errorf("announces %v, want %v", hosts, want)
	}
}

// A53, A55: on a machine without IPv4 the ports are announced over IPv6, UDP before TCP.
func TestIPv6Only(t *testing.T) {
	n := newNetwork(t)
	n.ip("address", "flush", "dev", "here", "scope", "global")
	n.ip("address", "add", here6+"/64", "dev", "here", "nodad")
	v := elsewhereViewer(t, n, there6)
	p, in := listen(t, Options{ListenUDP: ":0", ListenTCP: ":0", Sockets: 1, AdditionalHosts: []string{"2001:db8:9::1"}}), newInbox()
	run(t, p, in)
	port := strconv.Itoa(int(p.Addr().Port()))
	want := []string{"host0 1 udp 2130706431 2001:db8:9::1 " + port + " typ host", "port1 1 udp 2130706430 " + here6 + " " + port + " typ host"}
	if got := p.Candidates(false); !slices.Equal(got, want) {
		t.Errorf("announces %q, want %q", got, want)
	}
	tcp := strconv.Itoa(int(addrPortOf(p.streams.listener.Addr()).Port()))
	want = []string{
		"tcp0 1 tcp 1671430143 2001:db8:9::1 " + tcp + " typ host tcptype passive",
		"tcp1 1 tcp 1671430142 " + here6 + " " + tcp + " typ host tcptype passive",
	}
	if got := p.TCPCandidates(false); !slices.Equal(got, want) {
		t.Errorf("announces %q, want %q", got, want)
	}
	hello(t, v, netip.AddrPortFrom(netip.MustParseAddr(here6), p.Addr().Port()))
	from := in.next(t).from
	if err := p.WriteTo([]byte("hello too"), from); err != nil {
		t.Fatal(err)
	}
	if got, _ := receive(t, v); got != "hello too" {
		t.Errorf("the viewer gets %q", got)
	}
}
