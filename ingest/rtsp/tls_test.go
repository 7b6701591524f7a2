package rtsp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"sluice/ingest"
	"sluice/internal/testcamera"
)

// certificate makes one that signs itself, for loopback.
func certificate(t *testing.T, until time.Time) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "camera"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: until.Add(-time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

// E9, J146
func TestTLS(t *testing.T) {
	good, leaf := certificate(t, time.Now().Add(time.Hour))
	old, oldLeaf := certificate(t, time.Now().Add(-time.Hour))
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	trusted.AddCert(oldLeaf)
	for name, c := range map[string]struct {
		config  *tls.Config
		options Options
		roots   *x509.CertPool
		says    []string // nil: plays
	}{
		"trusted":                 {&tls.Config{Certificates: []tls.Certificate{good}}, Options{}, trusted, nil},
		"trusted, with Digest":    {&tls.Config{Certificates: []tls.Certificate{good}}, Options{URL: "user"}, trusted, nil},
		"insecure":                {&tls.Config{Certificates: []tls.Certificate{good}}, Options{TLSInsecure: true}, nil, nil},
		"pinned":                  {&tls.Config{Certificates: []tls.Certificate{good}}, Options{TLSFingerprint: strings.ToUpper(fingerprint(leaf))}, nil, nil},
		"expired, but pinned":     {&tls.Config{Certificates: []tls.Certificate{old}}, Options{TLSFingerprint: fingerprint(oldLeaf)}, nil, nil},
		"not trusted":             {&tls.Config{Certificates: []tls.Certificate{good}}, Options{}, x509.NewCertPool(), []string{"tls_fingerprint", fingerprint(leaf), "tls_insecure"}},
		"expired":                 {&tls.Config{Certificates: []tls.Certificate{old}}, Options{}, trusted, []string{"expired", fingerprint(oldLeaf)}},
		"another than the pinned": {&tls.Config{Certificates: []tls.Certificate{good}}, Options{TLSFingerprint: fingerprint(oldLeaf)}, trusted, []string{"another than tls_fingerprint", fingerprint(leaf)}},
		"TLS 1.1":                 {&tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS11}, Options{TLSInsecure: true}, nil, []string{"no TLS connection"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			camera := &testcamera.Camera{TLS: c.config}
			userinfo := ""
			if c.options.URL != "" {
				camera.Auth = &testcamera.Auth{User: "u", Password: "p", Challenges: []string{`Digest realm="c", nonce="n"`}}
				userinfo = "u:p"
			}
			camera.Start(t)
			c.options.URL = camera.URL(userinfo)
			source := newSource(t, c.options)
			source.roots = c.roots
			p := start(t, source)
			if c.says == nil {
				p.plays(t)
				return
			}
			err := p.end(t)
			if !is[*TLSError](err) {
				t.Fatalf("Run returned %v, want a TLS error", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if ingest.IsPermanent(err) != (len(c.says) > 1) {
				t.Errorf("permanent: %v", ingest.IsPermanent(err))
			}
		})
	}
}

// E9
func TestPlainPort(t *testing.T) {
	camera := raw("RTSP/1.0 400 Bad Request\r\n\r\n")
	camera.Connect = func(s *testcamera.Session) bool {
		s.Send("RTSP/1.0 400 Bad Request\r\n\r\n")
		return true
	}
	camera.Start(t)
	err := start(t, newSource(t, Options{URL: "rtsps://" + camera.Address() + "/s"})).end(t)
	if err == nil || !strings.Contains(err.Error(), "try rtsp://") {
		t.Errorf("Run returned %v, want a hint at rtsp://", err)
	}
}

// E9: plain packets never go beside TLS.
func TestNoPlainUDPBesideTLS(t *testing.T) {
	good, _ := certificate(t, time.Now().Add(time.Hour))
	camera := (&testcamera.Camera{TLS: &tls.Config{Certificates: []tls.Certificate{good}}}).Start(t)
	err := start(t, newSource(t, Options{URL: camera.URL(""), Transport: UDP, TLSInsecure: true})).end(t)
	if !is[*TransportRefusedError](err) || strings.Contains(camera.Methods(), "SETUP") {
		t.Errorf("Run returned %v after %s, want no SETUP", err, camera.Methods())
	}
}
