package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/media"
)

// canary is a password that must not show anywhere, and canaryInURL the same as it is written in a URL.
const (
	canary      = "canary@4711/x"
	canaryInURL = "canary%404711%2Fx"
)

// checkSecret fails the test if the canary shows in what the gateway has written or answers.
func (g *gatewayProcess) checkSecret(t *testing.T, more ...string) {
	t.Helper()
	said := append([]string{g.output.String()}, more...)
	for _, path := range []string{"", "api/v1/streams", "api/v1/sessions", "metrics"} {
		_, body := g.get(t, path)
		said = append(said, body)
	}
	for _, text := range said {
		if strings.Contains(text, "canary") {
			t.Errorf("the password shows: %s", text)
		}
	}
}

// awaitFailure waits until a stream has failed for a reason with all the words in it. A camera on a busy machine may have
// been too slow to answer at first, which is another reason, and is asked again.
func (g *gatewayProcess) awaitFailure(t *testing.T, name string, words ...string) {
	t.Helper()
	eventually(t, cameraLimit, func() string {
		s := g.stream(t, name)
		for _, w := range words {
			if s.State != "failed" || !strings.Contains(s.Error, w) {
				return fmt.Sprintf("stream %s is %s and says %q, want it failed with %q", name, s.State, s.Error, w)
			}
		}
		return ""
	})
}

// TestLogin pulls GStreamer cameras that want a password.
//
// Proves E20, E21 and E22.
func TestLogin(t *testing.T) {
	t.Parallel()
	config := ""
	for _, method := range []string{"basic", "digest"} {
		_, url := gstCamera(t, "--video", "h264", "--auth", method, "--user", "viewer", "--password", canary)
		config += fmt.Sprintf("streams.%s.source = %q\n", method, withUser(url, "viewer", canaryInURL))
		config += fmt.Sprintf("streams.%s-wrong.source = %q\n", method, withUser(url, "viewer", canaryInURL+"2"))
		config += fmt.Sprintf("streams.%s-none.source = %q\n", method, url)
	}
	g := startGateway(t, config)
	for _, method := range []string{"basic", "digest"} {
		v := g.watch(t, method)
		v.awaitFrames(t, 10)
		checkFirst(t, media.H264, pictures(t, media.H264, v.snapshot(media.Video).packets)[0])
		for stream, words := range map[string]string{method + "-wrong": "refuses the user or the password", method + "-none": "asks for a user and password"} {
			g.awaitFailure(t, stream, words)
		}
	}
	g.checkSecret(t)
}

// certificate makes a self-signed certificate for 127.0.0.1 and returns the PEM file, its key included, and its
// fingerprint.
func certificate(t *testing.T) (file, fingerprint string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "camera"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	file = filepath.Join(t.TempDir(), "camera.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return file, hex.EncodeToString(sum[:])
}

// TestTLS pulls a GStreamer camera over RTSPS whose certificate nobody has signed.
//
// Proves E9 and J146.
func TestTLS(t *testing.T) {
	t.Parallel()
	file, fingerprint := certificate(t)
	_, url := gstCamera(t, "--video", "h264", "--certificate", file)
	g := startGateway(t, fmt.Sprintf(`
streams.pinned = { source = %[1]q, tls_fingerprint = %[2]q }
streams.any = { source = %[1]q, tls_insecure = true }
streams.strict = { source = %[1]q }
streams.other = { source = %[1]q, tls_fingerprint = "%[3]s" }
`, url, fingerprint, strings.Repeat("00", 32)))
	for _, stream := range []string{"pinned", "any"} {
		v := g.watch(t, stream)
		v.awaitFrames(t, 10)
		checkFirst(t, media.H264, pictures(t, media.H264, v.snapshot(media.Video).packets)[0])
	}
	for _, stream := range []string{"strict", "other"} {
		g.awaitFailure(t, stream, "not trusted", fingerprint)
	}
}
