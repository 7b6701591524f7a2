package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// world is a network of hosts, each in a namespace of its own:
//
//	gateway ── gatewayRouter ── internet ── viewerRouter ── viewer
//
// The viewer is the test itself. Either router may be a NAT. Everything ends with the test.
type world struct {
	t *testing.T

	gateway, gatewayRouter, internet, viewerRouter, viewer *host
}

// host is a network namespace, and the process that holds it.
type host struct {
	t   *testing.T
	pid int // 0: that of the test
}

// Where the hosts are. Without NAT the inner networks are reached from everywhere.
const (
	gatewayInside, gatewayOutside = "192.168.1.2", "198.51.100.2"
	viewerInside                  = "10.0.0.2"
	stunHost, otherSTUNHost       = "192.0.2.11", "192.0.2.12" // on the internet
	gatewayIPv6                   = "2001:db8:1::2"
	gatewayPort                   = "8080" // of HTTP
)

// alone is the network of the viewer before there is a cable.
const alone = atOnce + `ip link set lo up && exec "$@"`

// nat is what a router does to packets that leave its inner network.
type nat string

// The NATs. The routers of all but noNAT let nothing in that nobody has asked for.
const (
	noNAT      nat = ""
	masquerade nat = "masquerade"                // keeps the port where it can
	symmetric  nat = "masquerade random"         // another port for each peer
	oneToOne   nat = "snat to " + gatewayOutside // and all that comes in goes to the gateway
)

// newWorld lays the cables of a world. Over IPv6 alone there is no NAT.
func newWorld(t *testing.T, gateway, viewer nat, ipv6 bool) *world {
	t.Helper()
	w := &world{
		t: t, gateway: newHost(t, "gateway's host"), gatewayRouter: newHost(t, "gateway's router"),
		internet: newHost(t, "internet"), viewerRouter: newHost(t, "viewer's router"), viewer: &host{t: t},
	}
	w.connect(w.gateway, "eth0", w.gatewayRouter, "lan")
	w.connect(w.gatewayRouter, "wan", w.internet, "left")
	w.connect(w.internet, "right", w.viewerRouter, "wan")
	w.connect(w.viewerRouter, "lan", w.viewer, "eth0")
	for _, router := range []*host{w.gatewayRouter, w.internet, w.viewerRouter} {
		router.do("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
	}
	if ipv6 {
		w.numberIPv6()
		return w
	}
	w.number(gateway == noNAT, viewer == noNAT)
	w.gatewayRouter.translate(gateway)
	w.viewerRouter.translate(viewer)
	return w
}

func newHost(t *testing.T, name string) *host {
	t.Helper()
	cmd := command("sleep", "infinity")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	h := &host{t: t, pid: start(t, name, cmd).cmd.Process.Pid}
	h.do("sh", "-c", atOnce+"ip link set lo up")
	return h
}

// command is a program on the host.
func (h *host) command(program ...string) *exec.Cmd {
	if h.pid != 0 {
		program = append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", h.pid)}, program...)
	}
	return command(program[0], program[1:]...)
}

// do runs a tool on the host.
func (h *host) do(program ...string) {
	h.t.Helper()
	if out, err := h.command(program...).CombinedOutput(); err != nil {
		h.t.Fatalf("%q: %v: %s", program, err, out)
	}
}

// connect lays a cable.
func (w *world) connect(a *host, end string, b *host, otherEnd string) {
	w.t.Helper()
	w.viewer.do("ip", "link", "add", "end-a", "type", "veth", "peer", "name", "end-b")
	a.plug("end-a", end)
	b.plug("end-b", otherEnd)
}

func (h *host) plug(end, name string) {
	h.t.Helper()
	move := []string{"ip", "link", "set", "dev", end, "name", name}
	if h.pid != 0 {
		move = append(move, "netns", strconv.Itoa(h.pid))
	}
	(&host{t: h.t}).do(move...)
	h.do("ip", "link", "set", name, "up")
}

// number gives the hosts IPv4 addresses. An inner network that is not open is unknown outside.
func (w *world) number(gatewayOpen, viewerOpen bool) {
	w.t.Helper()
	w.gateway.address("eth0", gatewayInside+"/24", "192.168.1.1")
	w.gatewayRouter.address("lan", "192.168.1.1/24", "")
	w.gatewayRouter.address("wan", gatewayOutside+"/24", "198.51.100.1")
	w.internet.address("left", "198.51.100.1/24", "")
	w.internet.address("right", "203.0.113.1/24", "")
	w.internet.address("lo", stunHost+"/32", "")
	w.internet.address("lo", otherSTUNHost+"/32", "")
	w.viewerRouter.address("wan", "203.0.113.2/24", "203.0.113.1")
	w.viewerRouter.address("lan", "10.0.0.1/24", "")
	w.viewer.address("eth0", viewerInside+"/24", "10.0.0.1")
	if gatewayOpen {
		w.internet.do("ip", "route", "add", "192.168.1.0/24", "via", gatewayOutside)
	}
	if viewerOpen {
		w.internet.do("ip", "route", "add", "10.0.0.0/24", "via", "203.0.113.2")
	}
}

func (w *world) numberIPv6() {
	w.t.Helper()
	w.gateway.address("eth0", gatewayIPv6+"/64", "2001:db8:1::1")
	w.gatewayRouter.address("lan", "2001:db8:1::1/64", "")
	w.gatewayRouter.address("wan", "2001:db8:a::2/64", "2001:db8:a::1")
	w.internet.address("left", "2001:db8:a::1/64", "")
	w.internet.address("right", "2001:db8:b::1/64", "")
	w.viewerRouter.address("wan", "2001:db8:b::2/64", "2001:db8:b::1")
	w.viewerRouter.address("lan", "2001:db8:2::1/64", "")
	w.viewer.address("eth0", "2001:db8:2::2/64", "2001:db8:2::1")
	w.internet.do("ip", "route", "add", "2001:db8:1::/64", "via", "2001:db8:a::2")
	w.internet.do("ip", "route", "add", "2001:db8:2::/64", "via", "2001:db8:b::2")
}

// address gives an interface an address, and the host a way to all others if there is a router.
func (h *host) address(end, address, router string) {
	h.t.Helper()
	add := []string{"ip", "address", "add", address, "dev", end}
	if strings.Contains(address, ":") {
		add = append(add, "nodad")
	}
	h.do(add...)
	if router != "" {
		h.do("ip", "route", "add", "default", "via", router)
	}
}

// translate makes a router a NAT.
func (h *host) translate(n nat) {
	h.t.Helper()
	if n == noNAT {
		return
	}
	inward := "iifname wan tcp dport " + gatewayPort + " dnat to " + gatewayInside
	if n == oneToOne {
		inward = "iifname wan dnat to " + gatewayInside
	}
	h.filter(`table ip nat {
	chain in { type nat hook prerouting priority dstnat; ` + inward + `; }
	chain out { type nat hook postrouting priority srcnat; oifname wan ` + string(n) + `; }
}
table ip guard {
	chain own { type filter hook input priority filter; iifname wan drop; }
	chain through { type filter hook forward priority filter; iifname wan ct state new ct status & dnat == 0 drop; }
}`)
}

// blockUDP has a router pass no UDP.
func (h *host) blockUDP() {
	h.t.Helper()
	h.filter("table inet block { chain through { type filter hook forward priority filter; meta l4proto udp drop; }\n}")
}

func (h *host) filter(rules string) {
	h.t.Helper()
	cmd := h.command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("nft: %v: %s", err, out)
	}
}

// startSTUN has the internet's STUN servers answer.
func (w *world) startSTUN() {
	w.t.Helper()
	p := start(w.t, "coturn", w.internet.command("turnserver", "-n", "--stun-only", "--listening-ip", stunHost,
		"--listening-ip", otherSTUNHost, "--no-tls", "--no-dtls", "--no-cli", "--verbose", "--log-file", "stdout",
		"--pidfile", w.t.TempDir()+"/pid"))
	p.await(w.t, `UDP listener opened on.*`+otherSTUNHost, listenLimit)
}

// checkSymmetric has the viewer's NAT show that it gives one socket another port for each peer.
func (w *world) checkSymmetric() {
	w.t.Helper()
	for range 2 { // random ports may be the same once
		if w.isSymmetric() {
			return
		}
	}
	w.t.Error("the viewer's NAT is not symmetric")
}

func (w *world) isSymmetric() bool {
	w.t.Helper()
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	one, other := w.mapped(c, stunHost), w.mapped(c, otherSTUNHost)
	w.t.Logf("%s is %s for one peer and %s for another", c.LocalAddr(), one, other)
	return one != other && one.Port() != uint16(c.LocalAddr().(*net.UDPAddr).Port)
}

// mapped is where a STUN server sees a socket of the viewer's.
func (w *world) mapped(c *net.UDPConn, server string) netip.AddrPort {
	w.t.Helper()
	ask := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(server), stun.DefaultPort))
	for deadline, b := time.Now().Add(listenLimit), make([]byte, 1500); time.Now().Before(deadline); {
		if _, err := c.WriteTo(ask.Raw, to); err != nil {
			w.t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := c.ReadFrom(b)
		answer := &stun.Message{Raw: b[:n]}
		var at stun.XORMappedAddress
		if err == nil && answer.Decode() == nil && answer.TransactionID == ask.TransactionID && at.GetFrom(answer) == nil {
			ip, _ := netip.AddrFromSlice(at.IP)
			return netip.AddrPortFrom(ip.Unmap(), uint16(at.Port))
		}
	}
	w.t.Fatalf("the STUN server %s does not answer", server)
	return netip.AddrPort{}
}
