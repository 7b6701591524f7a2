package rtsp

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"sluice/media"
)

// target is where to connect to, and how.
type target struct {
	url         *base.URL    // without userinfo
	credentials *credentials // nil if there are none for this host
}

// parseTarget reads a URL of the configuration. Its error holds no secret.
func parseTarget(raw string) (target, error) {
	u, err := base.ParseURL(strings.TrimSpace(raw))
	if err != nil {
		return target{}, fmt.Errorf("%s is no valid URL: it needs the form rtsp://user:password@host:port/path, with special characters percent-encoded",
			media.RedactURL(raw))
	}
	if u.Hostname() == "" {
		return target{}, fmt.Errorf("%s names no host", media.RedactURL(raw))
	}
	t := target{url: u.CloneWithoutCredentials()}
	if u.User != nil {
		password, _ := u.User.Password()
		t.credentials = &credentials{u.User.Username(), password}
	}
	t.url.RawQuery = withoutSRTP(t.url.RawQuery)
	return t, nil
}

// withoutSRTP takes out the parameter by which UniFi Protect is asked for SRTP with keys in the SDP, which the RTSP
// engine does not speak; without it the same URL gives plain RTP inside TLS.
func withoutSRTP(query string) string {
	var kept []string
	for q := range strings.SplitSeq(query, "&") {
		if name, _, _ := strings.Cut(q, "="); q != "" && !strings.EqualFold(name, "enableSrtp") {
			kept = append(kept, q)
		}
	}
	return strings.Join(kept, "&")
}

func (t target) secure() bool { return t.url.Scheme == "rtsps" }

// address is host:port.
func (t target) address() string {
	port := t.url.Port()
	if port == "" {
		port = "554"
		if t.secure() {
			port = "322"
		}
	}
	return net.JoinHostPort(t.url.Hostname(), port)
}

// follow is where a redirect leads. The credentials go along to the same host only.
func (t target) follow(location string) (target, error) {
	refuse := func(why string) (target, error) {
		return target{}, &RedirectError{To: media.RedactURL(location), Reason: why}
	}
	if strings.HasPrefix(location, "/") {
		location = origin(t.url.String()) + location
	}
	u, err := base.ParseURL(strings.TrimSpace(location))
	switch {
	case err != nil || u.Hostname() == "":
		return refuse("that is no RTSP URL")
	case t.secure() && u.Scheme != "rtsps":
		return refuse("that would give up encryption")
	}
	next := target{url: u.CloneWithoutCredentials()}
	if strings.EqualFold(u.Hostname(), t.url.Hostname()) {
		next.credentials = t.credentials
	}
	return next, nil
}

// nearby reports whether a camera is on the own network, where UDP usually gets through.
func nearby(camera netip.Addr) bool {
	camera = camera.Unmap()
	return camera.IsPrivate() || camera.IsLoopback() || camera.IsLinkLocalUnicast()
}
