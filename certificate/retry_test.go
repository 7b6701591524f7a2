package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/acme"
)

// roundTrip is a network that a test answers for.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unreachable makes a source whose authority answers as told, and counts in minutes when it was asked.
func unreachable(t *testing.T, log *record, answer roundTrip) (*Source, *[]int) {
	t.Helper()
	start, asked := time.Now(), []int{}
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, int(time.Since(start)/time.Minute))
		return answer(r)
	})}
	s, err := New(Options{
		Mode: ModeACME, Hosts: []string{"a.example"}, Directory: "https://ca.example/dir", Client: client,
		StateDir: t.TempDir(), Log: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, &asked
}

func TestAuthorityIsAskedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		s, asked := unreachable(t, &log, func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}
		})
		running(t, s)
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if want := []int{0, 5, 15, 35, 75, 135, 195}; !slices.Equal(*asked, want) {
			t.Errorf("it is asked in the minutes %d, want %d", *asked, want)
		}
		if !strings.Contains(log.String(), "the authority can't be reached from here") || !strings.Contains(log.String(), "no route to host") {
			t.Errorf("the log says:\n%s", log.String())
		}
	})
}

func TestAuthorityMayAskToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		s, asked := unreachable(t, &log, func(*http.Request) (*http.Response, error) {
			const text = `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}`
			return &http.Response{
				StatusCode: http.StatusForbidden, Header: http.Header{"Retry-After": {"7200"}}, Body: io.NopCloser(strings.NewReader(text)),
			}, nil
		})
		running(t, s)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if want := []int{0, 120}; !slices.Equal(*asked, want) {
			t.Errorf("it is asked in the minutes %d, want %d", *asked, want)
		}
		if !strings.Contains(log.String(), "the authority's limit is reached (too many)") {
			t.Errorf("the log says:\n%s", log.String())
		}
	})
}

func TestHandshakesWithoutCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log record
		s, _ := unreachable(t, &log, nil)
		get := s.Config().GetCertificate
		for _, c := range []struct {
			name  string
			hello tls.ClientHelloInfo
			want  any
		}{
			{"ours", tls.ClientHelloInfo{ServerName: "A.example."}, new(*NoCertificateError)},
			{"no name", tls.ClientHelloInfo{}, new(*NoCertificateError)},
			{"another name", tls.ClientHelloInfo{ServerName: "b.example"}, new(*UnknownHostError)},
		} {
			if _, err := get(&c.hello); !errors.As(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		challenge := tls.ClientHelloInfo{ServerName: "a.example", SupportedProtos: []string{protoChallenge}}
		if _, err := get(&challenge); err == nil {
			t.Error("a challenge is answered that nobody asked for")
		}
		for range 3 * 60 {
			_, _ = get(&tls.ClientHelloInfo{ServerName: "a.example"})
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "a TLS handshake failed"); n != 3 {
			t.Errorf("3 minutes of handshakes are told %d times", n)
		}
		if s.Leaf() != nil {
			t.Error("there is a certificate")
		}
	})
}

func TestDue(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct{ life, age, want time.Duration }{
		{90 * day, 0, 60 * day},
		{90 * day, 59 * day, day},
		{90 * day, 61 * day, 0},
		{6 * day, 0, 4 * day},
		{365 * day, 0, 335 * day},
	} {
		now := time.Now()
		leaf := &x509.Certificate{NotBefore: now.Add(-c.age), NotAfter: now.Add(c.life - c.age)}
		a := &authority{certs: map[string]*tls.Certificate{"a.example": {Leaf: leaf}}}
		if got := a.due("a.example", now); got != c.want {
			t.Errorf("a certificate for %v is due after %v: in %v, want %v", c.life, c.age, got, c.want)
		}
	}
}

func TestReason(t *testing.T) {
	refused := func(kind, problem, detail string) error {
		return &challengeError{kind, &acme.AuthorizationError{Errors: []error{
			&acme.Error{ProblemType: "urn:ietf:params:acme:error:" + problem, Detail: detail},
		}}}
	}
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"dns", refused(overHTTP, "dns", "NXDOMAIN"), "the name a.example does not resolve: it needs a DNS record with the address of this gateway (NXDOMAIN)"},
		{"dns by another name", refused(overTLS, "malformed", "Could not resolve URL"), "the name a.example does not resolve: it needs a DNS record with the address of this gateway (Could not resolve URL)"},
		{"port 80", refused(overHTTP, "connection", ""), "port 80 of a.example can't be reached from outside: it has to be forwarded to this gateway"},
		{"port 443", refused(overTLS, "connection", ""), "port 443 of a.example can't be reached from outside: it has to be forwarded to this gateway"},
		{"somebody else", refused(overHTTP, "unauthorized", "404"), "what answers on port 80 of a.example is not this gateway: look where the name points and what is forwarded (404)"},
		{"twice the same", errors.Join(refused(overHTTP, "caa", "1"), refused(overTLS, "caa", "2")), "a CAA record of a.example forbids this authority (1)"},
		{"two ports", errors.Join(refused(overHTTP, "connection", ""), refused(overTLS, "unauthorized", "")), "port 80 of a.example can't be reached from outside: it has to be forwarded to this gateway; what answers on port 443 of a.example is not this gateway: look where the name points and what is forwarded"},
		{"an order", &acme.OrderError{Problem: &acme.Error{ProblemType: "urn:ietf:params:acme:error:rejectedIdentifier"}}, "the authority gives no certificates for a.example"},
		{"an account", fmt.Errorf("make an account: %w", &acme.Error{ProblemType: "urn:ietf:params:acme:error:externalAccountRequired"}), "the authority wants an account made on its web site, which is not supported"},
		{"something new", &acme.Error{ProblemType: "urn:x:whatever", Detail: "because"}, "the authority refused (because)"},
		{"too much", &acme.Error{Detail: strings.Repeat("x", 1000)}, "the authority refused (" + strings.Repeat("x", maxDetail) + ")"},
		{"anything else", errors.New("disk full"), "disk full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reason("a.example", c.err); got != c.want {
				t.Errorf("reason: %s\nwant: %s", got, c.want)
			}
		})
	}
}
