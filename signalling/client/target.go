package client

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// target is a URL to ask.
type target struct {
	url     *url.URL // http or https, without userinfo and fragment
	trusted bool     // the token may go there
}

// resolve is where a reference in an answer of the target leads. The token goes along to the same origin only, and
// never back once it was withheld.
//
// A server behind a proxy that ends TLS believes itself to be plain HTTP and says so in its URLs; what it says of
// its own host is taken for the proxy's.
func (t target) resolve(reference string) (target, string) {
	u, err := t.url.Parse(reference)
	if err != nil {
		return target{}, "that is no valid URL"
	}
	if !isHTTP(u) || u.Hostname() == "" {
		return target{}, "that is no HTTP URL"
	}
	if t.url.Scheme == "https" && u.Scheme == "http" {
		if !strings.EqualFold(u.Hostname(), t.url.Hostname()) {
			return target{}, "that would give up encryption"
		}
		u.Scheme, u.Host = t.url.Scheme, t.url.Host
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return target{url: u, trusted: t.trusted && sameOrigin(t.url, u)}, ""
}

func isHTTP(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// sameOrigin compares scheme, host and port (RFC 6454 5).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// origin is as much of a URL as may be shown.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// metadataAddresses give cloud credentials to whoever asks from inside, so no redirect may lead there.
var metadataAddresses = []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}

// refuseMetadata is called with each address before it is connected to, after the name has been looked up.
func refuseMetadata(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return &net.AddrError{Err: "no address", Addr: address}
	}
	for _, m := range metadataAddresses {
		if a.Addr().Unmap().WithZone("") == m {
			return errMetadata
		}
	}
	return nil
}
