package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ports are a gateway's two ports, which an authority looks at.
type ports struct{ web, tls net.Listener }

func openPorts(t *testing.T) ports {
	t.Helper()
	var p ports
	for _, l := range []*net.Listener{&p.web, &p.tls} {
		var err error
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _, _ = p.web.Close(), p.tls.Close() })
	return p
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// serveWeb answers plain HTTP until the test ends.
func serveWeb(t *testing.T, l net.Listener, h http.Handler) {
	t.Helper()
	server := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}

func newTestAuthority(t *testing.T, p *pebble, state string, log *record, hosts ...string) *Source {
	t.Helper()
	s, err := New(Options{Mode: ModeACME, Hosts: hosts, Directory: p.directory, Client: p.client, StateDir: state, Log: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A96
func TestAuthority(t *testing.T) {
	for _, kind := range []string{overHTTP, overTLS} {
		t.Run(kind, func(t *testing.T) {
			open, state, closed := openPorts(t), t.TempDir(), freePort(t)
			web, secure := portOf(open.web), closed
			if kind == overTLS {
				web, secure = closed, portOf(open.tls)
			}
			p := startPebble(t, web, secure, time.Hour)
			var log record
			s := newTestAuthority(t, p, state, &log, "door.here.test", "www.here.test")
			if kind == overHTTP {
				serveWeb(t, open.web, s.HTTPHandler(nil))
			}
			serveOn(t, Split(open.tls, s.Config(), func(c net.Conn) { _ = c.Close() }))
			running(t, s)
			waitFor(t, "certificate", func() bool { return strings.Count(log.String(), "gave a certificate") == 2 })

			for _, host := range []string{"door.here.test", "WWW.here.test", ""} {
				checkHost(t, open.tls.Addr().String(), host)
			}
			if strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log says:\n%s", log.String())
			}
			checkPrivate(t, state)

			p.stop()
			var again record
			second := newTestAuthority(t, p, state, &again, "door.here.test", "www.here.test")
			running(t, second)
			if leaf := second.Leaf(); leaf == nil || !leaf.Equal(s.Leaf()) {
				t.Errorf("the second start does not use what was kept:\n%s", again.String())
			}
		})
	}
}

// checkHost shakes hands by a name; without one the certificate is that of the first host.
func checkHost(t *testing.T, addr, name string) {
	t.Helper()
	c := dial(t, addr, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if name == "" {
		name = "door.here.test"
	}
	if err := c.ConnectionState().PeerCertificates[0].VerifyHostname(name); err != nil {
		t.Error(err)
	}
	if got := ask(t, c); got != "HTTP/1.1 tls=true" {
		t.Errorf("the answer is %q", got)
	}
}

// checkPrivate wants that nobody else may read what is kept.
func checkPrivate(t *testing.T, state string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Join(state, "tls"), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode().Perm())
		}
		if !d.IsDir() {
			files++
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files are kept, %v", files, err)
	}
}

// A96
func TestAuthorityRenews(t *testing.T) {
	open := openPorts(t)
	p := startPebble(t, portOf(open.web), freePort(t), 18*time.Second) // a third of it has to do for the restart below
	var log record
	s := newTestAuthority(t, p, t.TempDir(), &log, "door.here.test")
	serveWeb(t, open.web, s.HTTPHandler(nil))
	running(t, s)
	waitFor(t, "certificate", func() bool { return s.Leaf() != nil })
	first := s.Leaf()
	p.stop()
	p.start() // without our account
	waitFor(t, "second certificate", func() bool { return !s.Leaf().Equal(first) })
	if life := first.NotAfter.Sub(first.NotBefore); s.Leaf().NotBefore.Before(first.NotBefore.Add(life / 2)) {
		t.Errorf("the second is from %v, the first from %v", s.Leaf().NotBefore, first.NotBefore)
	}
}

func TestAuthorityFailures(t *testing.T) {
	for _, c := range []struct {
		name, host string
		serve      http.Handler // nil: the port is closed
		want       []string
	}{
		{"no DNS record", "door.elsewhere.test", nil, []string{"door.elsewhere.test does not resolve"}},
		{"closed ports", "door.here.test", nil, []string{
			"port 80 of door.here.test can't be reached from outside", "port 443 of door.here.test",
		}},
		{"another server", "door.here.test", http.NotFoundHandler(), []string{
			"what answers on port 80 of door.here.test is not this gateway",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			open, web := openPorts(t), freePort(t)
			if c.serve != nil {
				web = portOf(open.web)
				serveWeb(t, open.web, c.serve)
			}
			p := startPebble(t, web, freePort(t), time.Hour)
			var log record
			s := newTestAuthority(t, p, t.TempDir(), &log, c.host)
			_ = s.HTTPHandler(nil) // so that HTTP-01 is tried
			addr := serve(t, s.Config(), nil)
			if err := refused(addr, c.host); err == nil {
				t.Error("there is a certificate before the authority was asked")
			}
			if !strings.Contains(log.String(), "there is no certificate for "+c.host+" yet: the certificate authority is being asked") {
				t.Errorf("the log says:\n%s", log.String())
			}
			running(t, s)
			waitFor(t, "failure", func() bool { return strings.Contains(log.String(), "gave no certificate") })
			for _, w := range c.want {
				if !strings.Contains(log.String(), w) {
					t.Errorf("the log does not say %q:\n%s", w, log.String())
				}
			}
			lines := strings.Count(log.String(), "\n")
			for range 5 {
				if err := refused(addr, c.host); err == nil {
					t.Error("there is a certificate")
				}
			}
			if n := strings.Count(log.String(), "\n"); n != lines {
				t.Errorf("handshakes add %d lines within the minute", n-lines)
			}
		})
	}
}

// refused shakes hands and returns why that failed.
func refused(addr, host string) error {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{ServerName: host, InsecureSkipVerify: true})
	if err == nil {
		_ = c.Close()
	}
	return err
}

func TestAuthorityThatIsNotTrusted(t *testing.T) {
	p := startPebble(t, freePort(t), freePort(t), time.Hour)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	p.client = &http.Client{Transport: transport}
	var log record
	running(t, newTestAuthority(t, p, t.TempDir(), &log, "door.here.test"))
	waitFor(t, "failure", func() bool { return strings.Contains(log.String(), "SSL_CERT_FILE") })
}

// TestAuthorityOfTheSystem has a process of its own trust the authority by SSL_CERT_FILE: the roots of a process are read
// once. It learns of its name only from an authority that it could ask.
func TestAuthorityOfTheSystem(t *testing.T) {
	const variable = "SLUICE_TEST_DIRECTORY"
	if directory := os.Getenv(variable); directory != "" {
		var log record
		running(t, newTestAuthority(t, &pebble{directory: directory}, t.TempDir(), &log, "door.elsewhere.test"))
		waitFor(t, "failure", func() bool { return strings.Contains(log.String(), "gave no certificate") })
		t.Log(log.String())
		return
	}
	p := startPebble(t, freePort(t), freePort(t), time.Hour)
	for file, want := range map[string]string{p.root: "door.elsewhere.test does not resolve", "/dev/null": "SSL_CERT_FILE"} {
		child := exec.Command(os.Args[0], "-test.run=^TestAuthorityOfTheSystem$", "-test.v")
		child.Env = append(os.Environ(), variable+"="+p.directory, "SSL_CERT_FILE="+file)
		if said, err := child.CombinedOutput(); err != nil || !strings.Contains(string(said), want) {
			t.Errorf("with SSL_CERT_FILE=%s: %v, want … %s\n%s", file, err, want, said)
		}
	}
}

func TestAuthorityOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"no hosts", Options{}, "http.acme_hosts: is empty"},
		{"an address", Options{Hosts: []string{"192.0.2.1"}}, `http.acme_hosts: "192.0.2.1"`},
		{"no domain", Options{Hosts: []string{"door"}}, `http.acme_hosts: "door"`},
		{"a wildcard", Options{Hosts: []string{"*.example.org"}}, `http.acme_hosts: "*.example.org"`},
		{"another script", Options{Hosts: []string{"tür.example"}}, "xn--"},
		{"a path", Options{Hosts: []string{"../../etc.x"}}, "http.acme_hosts"},
		{"plain directory", Options{Hosts: []string{"a.example"}, Directory: "http://a.example"}, "http.acme_directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Mode, c.o.StateDir, c.o.Log = ModeACME, t.TempDir(), discard()
			if _, err := New(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: %v, want … %s", err, c.want)
			}
		})
	}
}
