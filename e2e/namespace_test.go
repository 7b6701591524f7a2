package e2e

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programVariable hands the gateway that is tested down to a test in a namespace of its own.
const programVariable = "SLUICE_E2E_GATEWAY"

// namespaceLimit is for a test in a namespace of its own, where each starts its own browser.
const namespaceLimit = 5 * time.Minute

// foreign is an address of a network namespace that is not loopback, and away that of the host beside it.
const (
	foreign = "10.77.0.1"
	away    = "10.77.0.2"
)

// atOnce has an IPv6 address be of use as soon as its cable is there, not a second or two later: a browser breaks off
// what it loads when its addresses change (ERR_NETWORK_CHANGED).
const atOnce = `for links in all default; do
	echo 0 >/proc/sys/net/ipv6/conf/$links/accept_dad || true
done
`

// network is what a namespace has: loopback, and one end of a cable. The other end is for otherHost.
const network = `set -e
` + atOnce + `ip link set lo up
ip link add cam0 type veth peer name cam1
ip address add ` + foreign + `/24 dev cam0
ip link set cam0 up
ip route add default dev cam0
exec "$@"`

// otherHost waits for its end of the cable, in a namespace of its own, and becomes a host beside the first.
const otherHost = `set -e
until ip link show cam1 >/dev/null 2>&1; do sleep 0.05; done
ip link set lo up
ip address add ` + away + `/24 dev cam1
ip link set cam1 up
ip route add default dev cam1
exec "$@"`

// startAway starts a program on a host beside that of a test inNamespace.
func startAway(t *testing.T, name string, program ...string) *process {
	t.Helper()
	cmd := command("sh", append([]string{"-c", otherHost, "sh"}, program...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	p := start(t, name, cmd)
	tool(t, "ip", "link", "set", "cam1", "netns", strconv.Itoa(p.cmd.Process.Pid))
	return p
}

// inNamespace runs the calling test once more, in a network namespace of its own that ends with it. It reports
// whether this is that run; the other one has nothing left to do.
func inNamespace(t *testing.T) bool {
	t.Helper()
	return inNamespaceWith(t, network)
}

// inNamespaceWith is inNamespace with a script that sets the network up and goes on as its arguments say. The test may
// be one of a table.
func inNamespaceWith(t *testing.T, network string) bool {
	t.Helper()
	if os.Getenv(programVariable) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	only := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := command("sh", "-c", network, "sh", self, "-test.run", only, "-test.v", "-test.timeout", namespaceLimit.String())
	cmd.Env = append(cmd.Env, programVariable+"="+program)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	p := start(t, "test in a namespace", cmd)
	code := p.exit(namespaceLimit + 10*time.Second)
	if code != 0 || !strings.Contains(p.output.String(), "--- PASS: "+t.Name()) {
		t.Errorf("in a namespace of its own the test ended with %d:\n%s", code, p.output)
	}
	return false
}
