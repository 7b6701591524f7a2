package certificate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// pebble is a certificate authority in a process of its own. It finds every name below here.test at 127.0.0.1.
type pebble struct {
	directory string
	root      string       // the file of the certificate that its HTTPS shows
	client    *http.Client // trusts it
	start     func()       // with nothing of what it knew before
	stop      func()
}

// startPebble starts an authority that looks for challenges on the two ports of loopback, and gives certificates for so
// long.
func startPebble(t *testing.T, httpPort, tlsPort int, life time.Duration) *pebble {
	t.Helper()
	binary := pebbleBinary(t)
	dir := t.TempDir()
	cert, key, leaf := halves(t, time.Now(), "127.0.0.1")
	port := freePort(t)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": address, "certificate": write(t, dir, "cert.pem", cert), "privateKey": write(t, dir, "key.pem", key),
		"httpPort": httpPort, "tlsPort": tlsPort, "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "d", "validityPeriod": int(life / time.Second)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	args := []string{"-strict", "-config", write(t, dir, "config.json", config), "-dnsserver", startDNS(t)}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	p := &pebble{
		directory: "https://" + address + "/dir", root: filepath.Join(dir, "cert.pem"),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: 10 * time.Second},
	}
	p.start = func() {
		process := exec.Command(binary, args...)
		process.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0")
		process.Stdout, process.Stderr = &said, &said
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		p.stop = sync.OnceFunc(func() {
			_ = process.Process.Kill()
			_ = process.Wait() // it was killed
		})
		waitFor(t, "pebble's directory", func() bool {
			r, err := p.client.Get(p.directory)
			return err == nil && r.Body.Close() == nil && r.StatusCode == http.StatusOK
		})
	}
	p.start()
	t.Cleanup(func() {
		p.stop()
		p.client.CloseIdleConnections()
		if t.Failed() {
			t.Logf("pebble said:\n%s", said.String())
		}
	})
	return p
}

// pebbleBinary is the path of the authority that `make .tools/pebble` has built. Without it the test is skipped; in CI it
// fails.
func pebbleBinary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../.tools/pebble")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatal(".tools/pebble is missing: make .tools/pebble builds it")
	}
	t.Skip(".tools/pebble is missing: make .tools/pebble builds it")
	return ""
}

// startDNS answers questions for addresses below here.test until the test ends, and returns where.
func startDNS(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := resolve(buf[:n]); answer != nil {
				_, _ = c.WriteTo(answer, from) // the authority asks again
			}
		}
	}()
	t.Cleanup(func() { _ = c.Close(); <-done })
	return c.LocalAddr().String()
}

func resolve(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	switch {
	case !strings.HasSuffix(q.Name.String(), ".here.test."):
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

// freePort is a TCP port of loopback that nobody listens to: below those that the system gives to whoever asks for any, and
// to connections, so that nobody gets it while a test counts on it.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(10000) //nolint:gosec // it is no secret
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// waitFor waits for a condition for at most 30 s.
func waitFor(t *testing.T, what string, good func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(30 * time.Second); !good(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatalf("still no %s after 30 s", what)
		}
	}
}
