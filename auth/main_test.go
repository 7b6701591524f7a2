package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var here = netip.MustParseAddr("192.0.2.1")

// cheap is the password "right", hashed as quickly as Argon2 can.
func cheap(t testing.TB) string {
	t.Helper()
	return hashed("right", &argon{memory: 64, time: 1, threads: 1, salt: []byte("saltsalt"), hash: make([]byte, 16)})
}

func hashed(password string, a *argon) string {
	a.hash = a.derive(password)
	return a.String()
}

func must(t testing.TB, o Options) Authorizer {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// outcome is a name or an error as tables have it.
func outcome(p *Principal, err error) string {
	var forbidden *ForbiddenError
	var backoff *BackoffError
	var rate *RateError
	var unavailable *UnavailableError
	switch {
	case err == nil:
		return p.Name
	case errors.Is(err, ErrNoCredentials):
		return "none"
	case errors.Is(err, ErrInvalid):
		return "invalid"
	case errors.As(err, &forbidden):
		return "forbidden"
	case errors.As(err, &backoff):
		return "backoff"
	case errors.As(err, &rate):
		return "rate"
	case errors.As(err, &unavailable):
		return "unavailable"
	default:
		return fmt.Sprintf("%T", err)
	}
}

// server is a handler that answers without any network, as tests with a clock of their own need it.
type server http.HandlerFunc

// RoundTrip answers unless the request is given up before.
func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		s(w, r)
		w.Flush()
		answer := w.Result()
		answer.Request = r
		done <- answer
	}()
	select {
	case w := <-done:
		return w, nil
	case <-r.Context().Done():
		<-done
		return nil, r.Context().Err()
	}
}

func (s server) client() *http.Client { return &http.Client{Transport: s} }
