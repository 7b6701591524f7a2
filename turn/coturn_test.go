package turn

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"sluice/internal/testworker"
)

// G2, G7, G16: coturn's own client with our credentials, over each transport, with channels and with indications.
func TestCoturnsClient(t *testing.T) {
	uclient := testworker.Tool(t, "turnutils_uclient")
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, func(o *Options) {
		o.ListenTLS, o.TLS = "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
		o.UserQuota = 16
	}, media, netip.AddrPortFrom(media.Addr(), media.Port()+1)) // it wants a permission for RTCP even without any
	cases := []struct {
		name string
		port uint16
		args []string
	}{
		{"UDP", s.Addrs().UDP.Port(), nil},
		{"UDP, indications", s.Addrs().UDP.Port(), []string{"-s"}},
		{"TCP", s.Addrs().TCP.Port(), []string{"-t"}},
		{"TCP, indications", s.Addrs().TCP.Port(), []string{"-t", "-s"}},
		{"TLS", s.Addrs().TLS.Port(), []string{"-t", "-S"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			username, credential := Mint(secret, "coturn", time.Hour, time.Now())
			args := append([]string{
				"-u", username, "-w", credential, "-p", strconv.Itoa(int(c.port)),
				"-e", "127.0.0.1", "-r", strconv.Itoa(int(media.Port())), "-c", "-n", "10", "-l", "170",
			}, c.args...)
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, uclient, append(args, "127.0.0.1")...).CombinedOutput()
			if err != nil || !regexp.MustCompile(`tot_send_msgs=(\d+), tot_recv_msgs=10\b`).Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// G2, G12: the other way round, a coturn with use-auth-secret accepts what we mint and refuses what has expired;
// Check tells the difference.
func TestCoturnAcceptsMintedCredentials(t *testing.T) {
	url, media := coturn(t), echo(t, "udp4", "127.0.0.1:0")
	username, credential := Mint(secret, "session-1", time.Hour, time.Now())
	result, err := Check(t.Context(), CheckOptions{URL: url, Username: username, Credential: credential, Peer: media})
	if err != nil || !result.Relayed.IsValid() {
		t.Errorf("%+v, %v", result, err)
	}
	username, credential = Mint(secret, "session-1", -time.Hour, time.Now())
	_, err = Check(t.Context(), CheckOptions{URL: url, Username: username, Credential: credential})
	if want := (&UnauthorizedError{url}); err == nil || err.Error() != want.Error() {
		t.Errorf("expired: %v", err)
	}
}

// freePort is a port of loopback that nobody has, for another program: below those that the system gives to whoever asks
// for any, so that nobody gets it meanwhile.
func freePort(t *testing.T) uint16 {
	t.Helper()
	for range 100 {
		port := uint16(20000 + rand.IntN(10000)) //nolint:gosec // small, and no secret
		if conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// coturn runs one on loopback until the test ends and returns its URL.
func coturn(t *testing.T) string {
	program := testworker.Tool(t, "turnserver")
	port := freePort(t)
	config := filepath.Join(t.TempDir(), "turnserver.conf")
	text := fmt.Sprintf("listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port=%d\nuse-auth-secret\n"+
		"static-auth-secret=%s\nrealm=sluice\nfingerprint\nallow-loopback-peers\nno-cli\nno-tls\nno-dtls\n"+
		"log-file=stdout\npidfile=%s/pid\nuserdb=%s/db\n", port, secret, t.TempDir(), t.TempDir())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-c", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	waitFor(t, func() bool { return askBinding(t.Context(), address) == nil })
	return "turn:" + address.String() + "?transport=udp"
}
