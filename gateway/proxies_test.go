package gateway

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// J19: whose word counts for where a request comes from.
func TestProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, from, forwarded, proto string
		remote, wantProto            string
	}{
		{"nobody forwards", "192.0.2.1:7", "", "", "192.0.2.1:7", ""},
		{"J19: a stranger says so", "192.0.2.1:7", "198.51.100.9", "https", "192.0.2.1:7", ""},
		{"a proxy", "127.0.0.1:7", "198.51.100.9", "https", "198.51.100.9:0", "https"},
		{"a proxy of IPv4 in IPv6", "[::ffff:127.0.0.1]:7", "198.51.100.9", "", "198.51.100.9:0", ""},
		{"two proxies", "127.0.0.1:7", "198.51.100.9, 10.1.2.3", "http", "198.51.100.9:0", ""},
		{"what the client wrote itself", "127.0.0.1:7", "127.0.0.1, 203.0.113.5, 198.51.100.9", "https,http", "198.51.100.9:0", ""},
		{"proxies all the way", "127.0.0.1:7", "10.0.0.9", "HTTPS", "10.0.0.9:0", "https"},
		{"IPv6", "127.0.0.1:7", "2001:db8::1", "", "[2001:db8::1]:0", ""},
		{"IPv6 with a port", "[fd00::1]:7", "[2001:db8::1]:99", "", "[2001:db8::1]:0", ""},
		{"no address", "127.0.0.1:7", "unknown", "", "127.0.0.1:0", ""},
		{"no address before a good one", "127.0.0.1:7", "<script>, 10.0.0.9", "", "10.0.0.9:0", ""},
		{"the protocol alone", "127.0.0.1:7", "", "https", "127.0.0.1:0", "https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.from
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			var got *http.Request
			h := &proxies{
				trusted: func() []netip.Prefix { return trusted }, log: slog.New(slog.DiscardHandler),
				next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }),
			}
			h.ServeHTTP(nil, r)
			if got.RemoteAddr != c.remote || got.Header.Get("X-Forwarded-Proto") != c.wantProto {
				t.Errorf("%s, %q", got.RemoteAddr, got.Header.Get("X-Forwarded-Proto"))
			}
		})
	}
}

// A proxy that was forgotten in the configuration is told of, once.
func TestForgottenProxy(t *testing.T) {
	var log strings.Builder
	h := &proxies{
		trusted: func() []netip.Prefix { return nil }, log: slog.New(slog.NewTextHandler(&log, nil)),
		next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
	}
	for range 3 {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "127.0.0.1:9"
		r.Header.Set("X-Forwarded-For", "198.51.100.9")
		h.ServeHTTP(nil, r)
	}
	if n := strings.Count(log.String(), "http.trusted_proxies"); n != 1 {
		t.Errorf("told %d times: %s", n, &log)
	}
}
