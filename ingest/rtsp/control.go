package rtsp

import (
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// repairBase makes an absolute URL on the requested host of what a camera gives as Content-Base or control. Of that
// only path and query count: the host is the one that was reached, which may be the outside of an address
// translator, and some cameras write it wrongly. An empty value means the request's URL.
func repairBase(value, request string) string {
	value = strings.TrimSpace(value)
	if value == "" || value == "*" {
		return request
	}
	repaired := origin(request) + pathOf(value)
	if _, err := base.ParseURL(repaired); err != nil {
		return request
	}
	return repaired
}

// origin is scheme and authority of a URL.
func origin(u string) string {
	scheme, rest, _ := strings.Cut(u, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	return scheme + "://" + host
}

// pathOf is what follows the authority of a URL that may lack its scheme or have it twice.
func pathOf(u string) string {
	if i := strings.LastIndex(beforeQuery(u), "://"); i >= 0 {
		u = u[i+len("://"):]
	}
	if i := strings.IndexAny(u, "/?"); i >= 0 {
		return u[i:]
	}
	return "/"
}

func beforeQuery(u string) string {
	u, _, _ = strings.Cut(u, "?")
	return u
}

// resolveControl is the URL of a section's control attribute. A relative one is appended to the base, after its
// query if it has one: that is what cameras expect, whatever RFC 3986 says.
func resolveControl(control, baseURL string) (url string, ok bool) {
	switch {
	case control == "" || control == "*":
		url = baseURL
	case isAbsolute(control):
		url = origin(baseURL) + pathOf(control)
	case control[0] == '/':
		url = strings.TrimSuffix(baseURL, "/") + control
	case control[0] == '?' || strings.HasSuffix(baseURL, "/"):
		url = baseURL + control
	default:
		url = baseURL + "/" + control
	}
	_, err := base.ParseURL(url)
	return url, err == nil && !strings.ContainsAny(url, " \t")
}

func isAbsolute(control string) bool {
	lower := strings.ToLower(control)
	return strings.HasPrefix(lower, "rtsp://") || strings.HasPrefix(lower, "rtsps://")
}
