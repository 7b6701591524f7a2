package guard_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/auth/guard"
)

// J160: which requests are from this machine, to this machine, without a proxy between.
func TestLoopbackOnly(t *testing.T) {
	for _, c := range []struct {
		name, remote, host, header string
		want                       string // a word of the refusal; "": let through
	}{
		{"plain", "127.0.0.1:1000", "localhost:8889", "", ""},
		{"no port", "127.0.0.1:1000", "localhost", "", ""},
		{"upper case", "127.0.0.1:1000", "LocalHost:80", "", ""},
		{"full name", "127.0.0.1:1000", "localhost.:8889", "", ""},
		{"IPv4", "127.0.0.1:1000", "127.0.0.1:8889", "", ""},
		{"another of 127/8", "127.9.9.9:1000", "127.0.0.2", "", ""},
		{"IPv6", "[::1]:1000", "[::1]:8889", "", ""},
		{"IPv6 without a port", "[::1]:1000", "[::1]", "", ""},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:1000", "localhost", "", ""},
		{"another header", "127.0.0.1:1", "localhost", "X-Requested-With", ""},
		{"remote", "192.0.2.1:1000", "localhost", "", "another machine"},
		{"remote IPv6", "[2001:db8::1]:1000", "localhost", "", "another machine"},
		{"remote IPv4 in IPv6", "[::ffff:192.0.2.1]:1000", "localhost", "", "another machine"},
		{"no remote", "", "localhost", "", "another machine"},
		{"DNS rebinding", "127.0.0.1:1000", "cameras.example.com:8889", "", "not addressed to localhost"},
		{"a name that begins alike", "127.0.0.1:1000", "localhost.example.com", "", "not addressed to localhost"},
		{"a name that looks like an address", "127.0.0.1:1000", "127.0.0.1.example.com", "", "not addressed to localhost"},
		{"the address of no machine", "127.0.0.1:1000", "0.0.0.0:8889", "", "not addressed to localhost"},
		{"no Host", "127.0.0.1:1000", "", "", "not addressed to localhost"},
		{"RFC 7239", "127.0.0.1:1", "localhost", "Forwarded", "Forwarded"},
		{"proxy", "127.0.0.1:1", "localhost", "X-Forwarded-For", "X-Forwarded-For"},
		{"proxy that tells the name", "127.0.0.1:1", "localhost", "x-forwarded-host", "X-Forwarded-Host"},
		{"nginx", "127.0.0.1:1", "localhost", "X-Real-IP", "X-Real-Ip"},
		{"RFC 9110 7.6.3", "127.0.0.1:1", "localhost", "Via", "Via"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			if c.header != "" {
				r.Header.Set(c.header, "203.0.113.7")
			}
			served, refusal := false, ""
			h := guard.LoopbackOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }),
				func(_ http.ResponseWriter, detail string) { refusal = detail })
			h.ServeHTTP(httptest.NewRecorder(), r)
			if served != (c.want == "") || !strings.Contains(refusal, c.want) {
				t.Errorf("served: %v, refusal: %q", served, refusal)
			}
			if !served && !strings.Contains(refusal, "auth.mode") {
				t.Errorf("the refusal %q does not name the key", refusal)
			}
		})
	}
}
