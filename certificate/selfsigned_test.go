package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newTestSelfSigned(t *testing.T, state string, log *record, names ...string) *Source {
	t.Helper()
	s, err := New(Options{Mode: ModeSelfSigned, StateDir: state, Names: func() []string { return names }, Log: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A96
func TestSelfSigned(t *testing.T) {
	var log record
	state := t.TempDir()
	s := newTestSelfSigned(t, state, &log, "localhost", "Door.lan.", "192.0.2.1", "[2001:db8::1]", "fe80::1%eth0", "::ffff:192.0.2.1", "0.0.0.0", "", "not a name", "tür.lan")
	leaf := s.Leaf()
	want := []string{"192.0.2.1", "2001:db8::1", "door.lan", "fe80::1", "localhost"}
	if got := slices.Sorted(slices.Values(sans(leaf))); !slices.Equal(got, want) {
		t.Errorf("it is for %v, want %v", got, want)
	}
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("its key is a %T", leaf.PublicKey)
	}
	if left := time.Until(leaf.NotAfter); left < 364*24*time.Hour || left > 366*24*time.Hour || leaf.IsCA {
		t.Errorf("it is good for %v; may sign: %v", left, leaf.IsCA)
	}
	if !strings.Contains(log.String(), Fingerprint(leaf)) {
		t.Errorf("the log does not say its fingerprint:\n%s", log.String())
	}
	checkPrivate(t, state)

	// A client that trusts it finds nothing wrong.
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	addr := serve(t, s.Config(), nil)
	for _, name := range []string{"localhost", "door.lan", "192.0.2.1", "2001:db8::1"} {
		if got := ask(t, dial(t, addr, &tls.Config{RootCAs: roots, ServerName: name})); got != "HTTP/1.1 tls=true" {
			t.Errorf("%s: the answer is %q", name, got)
		}
	}
	again := newTestSelfSigned(t, state, &log, "localhost", "door.lan", "192.0.2.1")
	if !again.Leaf().Equal(leaf) {
		t.Error("it is not kept over a restart")
	}
}

func TestFingerprint(t *testing.T) {
	const want = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55"
	if got := Fingerprint(&x509.Certificate{}); got != want { // SHA-256 of nothing
		t.Errorf("the fingerprint is %s", got)
	}
}

func TestSelfSignedIsMadeAnew(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(t *testing.T, file string)
		now    []string // names at the second start
		anew   bool
		warned bool
	}{
		{"as before", nil, []string{"localhost"}, false, false},
		{"fewer names", nil, []string{}, false, false},
		{"another name", nil, []string{"localhost", "door.lan"}, true, false},
		{"another IPv4 address", nil, []string{"192.0.2.9"}, true, false},
		{"another IPv6 address", nil, []string{"localhost", "2001:db8::9"}, false, false},
		{"near its end", func(t *testing.T, file string) {
			_, text, err := makeSelfSigned([]string{"localhost"}, time.Now().Add(renewBefore-selfSignedLife))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Dir(file), filepath.Base(file), text)
		}, []string{"localhost"}, true, false},
		{"damaged", func(t *testing.T, file string) {
			write(t, filepath.Dir(file), filepath.Base(file), []byte("x"))
		}, []string{"localhost"}, true, true},
		{"others may read it", func(t *testing.T, file string) {
			if err := os.Chmod(file, 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"localhost"}, true, true},
		{"gone", func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}, []string{"localhost"}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log record
			state := t.TempDir()
			first := newTestSelfSigned(t, state, &log, "localhost")
			if c.spoil != nil {
				c.spoil(t, filepath.Join(state, "tls", selfSignedFile))
			}
			second := newTestSelfSigned(t, state, &log, c.now...)
			if anew := !second.Leaf().Equal(first.Leaf()); anew != c.anew {
				t.Errorf("it is made anew: %v, want %v", anew, c.anew)
			}
			if missing(c.now, second.Leaf()) {
				t.Errorf("it is for %v, want %v", sans(second.Leaf()), c.now)
			}
			if warned := strings.Contains(log.String(), "level=WARN"); warned != c.warned {
				t.Errorf("the log says:\n%s", log.String())
			}
			checkPrivate(t, state)
			if third := newTestSelfSigned(t, state, &log, c.now...); !third.Leaf().Equal(second.Leaf()) {
				t.Error("the third start makes another")
			}
		})
	}
}

func TestSelfSignedFollowsTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		names := []string{"192.0.2.1"}
		s, err := New(Options{Mode: ModeSelfSigned, StateDir: t.TempDir(), Names: func() []string { return names }, Log: log.logger()})
		if err != nil {
			t.Fatal(err)
		}
		first := s.Leaf()
		names = []string{"192.0.2.2"}
		running(t, s)
		time.Sleep(checkInterval + time.Second)
		second := s.Leaf()
		if got := sans(second); !slices.Equal(got, []string{"192.0.2.1", "192.0.2.2"}) {
			t.Errorf("it is for %v", got)
		}
		if second.Equal(first) || !strings.Contains(log.String(), Fingerprint(second)) {
			t.Errorf("the log says:\n%s", log.String())
		}
		time.Sleep(time.Until(second.NotAfter.Add(-renewBefore - time.Hour)))
		if !s.Leaf().Equal(second) {
			t.Error("it is renewed early")
		}
		time.Sleep(2 * time.Hour)
		if s.Leaf().Equal(second) {
			t.Error("it is not renewed")
		}
	})
}

func TestSelfSignedNeedsAFolder(t *testing.T) {
	file := write(t, t.TempDir(), "file", nil)
	for _, state := range []string{"", file} {
		_, err := New(Options{Mode: ModeSelfSigned, StateDir: state, Log: discard()})
		if err == nil || !strings.HasPrefix(err.Error(), "keep the certificate: ") {
			t.Errorf("New with the folder %q: %v", state, err)
		}
	}
}
