package guard

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// LoopbackOnly lets through only requests that come from this machine and name it, directly: not from another
// address, not under another name (DNS rebinding), not handed on by a proxy that stands between (J160). The others
// get what refuse writes, with a sentence for the user.
func LoopbackOnly(h http.Handler, refuse func(w http.ResponseWriter, detail string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := notLocal(r); why != "" {
			refuse(w, why+` With auth.mode = "none" the gateway serves only this machine itself.`)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func notLocal(r *http.Request) string {
	if !isLoopback(r.RemoteAddr) {
		return "The request comes from another machine."
	}
	if !isLoopback(r.Host) {
		return "The request is not addressed to localhost."
	}
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return "The request was forwarded by a proxy (header " + name + ")."
		}
	}
	return ""
}

// isLoopback looks at a host with or without a port.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
