package gateway_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secure is a client that takes any certificate, and remembers the one it was shown.
type secure struct {
	*http.Client
	shown string // its serial number
}

func newSecure(t *testing.T) *secure {
	t.Helper()
	s := &secure{}
	transport := &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // it is the gateway's own
		VerifyConnection: func(c tls.ConnectionState) error {
			s.shown = c.PeerCertificates[0].SerialNumber.String()
			return nil
		},
	}}
	s.Client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	return s
}

func (s *secure) get(t *testing.T, url string) *http.Response {
	t.Helper()
	w, err := s.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Body.Close() })
	return w
}

// A96: HTTPS by a certificate of our own making, which outlives the process; whoever speaks plain HTTP is told.
func TestSelfSigned(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	client := newSecure(t)
	var serials []string
	for range 2 {
		g := startAt(t, "tls = \"self-signed\"\n", closed())
		if w := client.get(t, g.url+"/healthz"); w.StatusCode != 200 || w.ProtoMajor != 2 {
			t.Errorf("%d %s", w.StatusCode, w.Proto)
		}
		serials = append(serials, client.shown)
		w, err := http.Get(strings.Replace(g.url, "https:", "http:", 1) + "/")
		if err != nil || w.StatusCode != 400 || !strings.Contains(read(t, w), "https://") {
			t.Errorf("plain HTTP: %v %v", w, err)
		}
		if err == nil {
			_ = w.Body.Close()
		}
		if err := g.stop(); err != nil {
			t.Error(err)
		}
	}
	if serials[0] != serials[1] {
		t.Error("another certificate after a restart")
	}
}

// A96: files that the configuration names anew are used from then on.
func TestCertificateOfAReload(t *testing.T) {
	one, two := certificateFiles(t, "one"), certificateFiles(t, "two")
	g := startAt(t, one, closed())
	client := newSecure(t)
	client.get(t, g.url+"/healthz")
	first := client.shown
	if err := g.g.Reload(parseAt(t, two, closed())); err != nil {
		t.Fatal(err)
	}
	client.get(t, g.url+"/healthz")
	if client.shown == first {
		t.Error("the certificate is the old one")
	}
	bad := strings.Replace(two, "two.key", "none.key", 1)
	if err := g.g.Reload(parseAt(t, bad, closed())); err == nil {
		t.Error("a key that is not there was taken")
	}
	second := client.shown
	if client.get(t, g.url+"/healthz"); client.shown != second {
		t.Error("a reload that was refused has changed the certificate")
	}
}

// certificateFiles makes a certificate and returns the keys of [http] that name it.
func certificateFiles(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	c := exec.CommandContext(t.Context(), "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
		"-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := os.Stat(key); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("tls_cert = %q\ntls_key = %q\n", certificate, key)
}
