package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// halves makes a certificate for names that began at now, and cuts its PEM text into certificate and key.
func halves(t testing.TB, now time.Time, names ...string) (cert, key []byte, leaf *x509.Certificate) {
	t.Helper()
	pair, text, err := makeSelfSigned(names, now)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(text)
	return rest, pem.EncodeToMemory(block), pair.Leaf
}

func write(t testing.TB, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// record is a logger and what it said.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// J156
func TestFilesThatAreWrong(t *testing.T) {
	now := time.Now()
	cert, key, _ := halves(t, now, "a.example")
	_, otherKey, _ := halves(t, now, "b.example")
	oldCert, oldKey, _ := halves(t, now.AddDate(-2, 0, 0), "a.example")
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	damaged := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	for _, c := range []struct {
		name      string
		cert, key []byte // nil: no file
		blame     string
		want      error
		text      string
	}{
		{"no certificate", nil, key, certKey, ErrMissing, "http.tls_cert: %cert%: there is no such file"},
		{"no key", cert, nil, keyKey, ErrMissing, "http.tls_key: %key%: there is no such file"},
		{"not PEM", []byte("\x30\x82"), key, certKey, ErrNotPEM, "nothing of that kind in PEM form"},
		{"empty key", cert, []byte{}, keyKey, ErrNotPEM, "nothing of that kind in PEM form"},
		{"swapped", key, cert, certKey, ErrSwapped, "are http.tls_cert and http.tls_key swapped?"},
		{"twice the certificate", cert, cert, keyKey, ErrSwapped, "are http.tls_cert and http.tls_key swapped?"},
		{"encrypted key", cert, encrypted, keyKey, ErrEncrypted, "is encrypted with a password"},
		{"mismatch", cert, otherKey, keyKey, ErrMismatch, "the key does not belong to the certificate in %cert%"},
		{"expired", oldCert, oldKey, certKey, ErrExpired, "it was valid until " + now.AddDate(-2, 0, 0).Add(selfSignedLife).UTC().Format(time.DateOnly)},
		{"damaged", damaged, key, certKey, nil, "the certificate is damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			o := Options{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), Log: discard()}
			if c.cert != nil {
				write(t, dir, "cert.pem", c.cert)
			}
			if c.key != nil {
				write(t, dir, "key.pem", c.key)
			}
			_, err := New(o)
			var file *FileError
			if !errors.As(err, &file) || file.Key != c.blame || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("New: %v, want %v about %s", err, c.want, c.blame)
			}
			text := strings.NewReplacer("%cert%", o.CertFile, "%key%", o.KeyFile).Replace(c.text)
			if !strings.Contains(err.Error(), text) {
				t.Errorf("New: %v\nwant: … %s", err, text)
			}
		})
	}
}

// J156
func TestFilesThatAreNotNamed(t *testing.T) {
	cert, _, _ := halves(t, time.Now(), "a.example")
	_, err := New(Options{CertFile: write(t, t.TempDir(), "cert.pem", cert), Log: discard()})
	if err == nil || err.Error() != "http.tls_key: is missing" {
		t.Errorf("New without a key: %v", err)
	}
	if _, err = New(Options{Mode: "selfsigned", Log: discard()}); err == nil || !strings.Contains(err.Error(), "http.tls") {
		t.Errorf("New in an unknown mode: %v", err)
	}
}

// A96
func TestFilesAreReadAgain(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, dir string, cert, key []byte){
		"written in place": func(t *testing.T, dir string, cert, key []byte) {
			write(t, dir, "live/cert.pem", cert)
			write(t, dir, "live/key.pem", key)
		},
		"renamed": func(t *testing.T, dir string, cert, key []byte) {
			for name, text := range map[string][]byte{"live/cert.pem": cert, "live/key.pem": key} {
				if err := os.Rename(write(t, dir, "new", text), filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		},
		"a link to other files": func(t *testing.T, dir string, cert, key []byte) { // certbot
			for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
				swap(t, write(t, dir, name+".2", text), filepath.Join(dir, "live", name))
			}
		},
		"a link to another folder": func(t *testing.T, dir string, cert, key []byte) { // Kubernetes
			if err := os.Mkdir(filepath.Join(dir, "second"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "second/cert.pem", cert)
			write(t, dir, "second/key.pem", key)
			swap(t, filepath.Join(dir, "second"), filepath.Join(dir, "live"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, s := watched(t, discard())
				cert, key, leaf := halves(t, time.Now(), "new.example", "longer.example")
				replace(t, dir, cert, key)
				time.Sleep(2*pollInterval + time.Second)
				if !s.Leaf().Equal(leaf) {
					t.Errorf("the certificate is for %v", s.Leaf().DNSNames)
				}
			})
		})
	}
}

// A96
func TestHalfWrittenPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		dir, s := watched(t, log.logger())
		before := s.Leaf()
		cert, key, leaf := halves(t, time.Now(), "new.example", "longer.example")

		write(t, dir, "live/cert.pem", cert)
		time.Sleep(time.Minute + pollInterval/2) // files are looked at between the steps of the test, not during one
		if !s.Leaf().Equal(before) {
			t.Error("the certificate without its key is shown")
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "http.tls_key") {
			t.Errorf("it is told %d times:\n%s", n, log.String())
		}
		if err := s.Reload(); !errors.Is(err, ErrMismatch) {
			t.Errorf("Reload: %v", err)
		}

		write(t, dir, "live/key.pem", append(key, '\n'))
		time.Sleep(time.Minute)
		if !s.Leaf().Equal(leaf) {
			t.Error("the whole pair is not shown")
		}
		if err := os.Remove(filepath.Join(dir, "live/key.pem")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(log.String(), "level=WARN"); n != 2 || !s.Leaf().Equal(leaf) {
			t.Errorf("after the key is gone there are %d warnings:\n%s", n, log.String())
		}
	})
}

// watched runs a source with the files live/cert.pem and live/key.pem below a folder; live is a link to the folder first.
func watched(t *testing.T, log *slog.Logger) (string, *Source) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "first"), 0o700); err != nil {
		t.Fatal(err)
	}
	swap(t, filepath.Join(dir, "first"), filepath.Join(dir, "live"))
	cert, key, _ := halves(t, time.Now(), "old.example")
	o := Options{CertFile: write(t, dir, "live/cert.pem", cert), KeyFile: write(t, dir, "live/key.pem", key), Log: log}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	running(t, s)
	return dir, s
}

// swap points a link elsewhere at once.
func swap(t *testing.T, target, link string) {
	t.Helper()
	if err := errors.Join(os.Symlink(target, link+".new"), os.Rename(link+".new", link)); err != nil {
		t.Fatal(err)
	}
}

// running runs a source until the test ends.
func running(t *testing.T, s *Source) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// A96
func TestReloadWhileConnectionsLive(t *testing.T) {
	dir := t.TempDir()
	cert, key, first := halves(t, time.Now(), "old.example")
	o := Options{CertFile: write(t, dir, "cert.pem", cert), KeyFile: write(t, dir, "key.pem", key), Log: discard()}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, s.Config(), nil)
	before := dial(t, addr, &tls.Config{InsecureSkipVerify: true})
	ask(t, before)

	cert, key, second := halves(t, time.Now(), "new.example")
	write(t, dir, "cert.pem", cert)
	write(t, dir, "key.pem", key)
	if err = s.Reload(); err != nil {
		t.Fatal(err)
	}
	after := dial(t, addr, &tls.Config{InsecureSkipVerify: true})
	if got := after.ConnectionState().PeerCertificates[0]; !got.Equal(second) {
		t.Errorf("a new connection is shown the certificate for %v", got.DNSNames)
	}
	ask(t, after)
	ask(t, before)
	if got := before.ConnectionState().PeerCertificates[0]; !got.Equal(first) {
		t.Errorf("the old connection was shown the certificate for %v", got.DNSNames)
	}
}
