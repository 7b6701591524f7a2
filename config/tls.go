package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// What HTTP.TLS can be besides "".
const (
	TLSSelfSigned = "self-signed"
	TLSACME       = "acme"
)

// Encrypted reports whether http.listen speaks HTTPS.
func (h HTTP) Encrypted() bool { return h.TLS != "" || h.TLSCert != "" }

func (h HTTP) checkTLS() Faults {
	var faults Faults
	if h.TLS != "" && h.TLS != TLSSelfSigned && h.TLS != TLSACME {
		faults.add("http.tls", quote(h.TLS)+` is neither "self-signed" nor "acme", nor "" for the files of tls_cert and tls_key`)
	}
	if h.TLSCert != "" && h.TLSKey == "" {
		faults.add("http.tls_key", "is missing: tls_cert needs the PEM file of its private key")
	}
	if h.TLSKey != "" && h.TLSCert == "" {
		faults.add("http.tls_cert", "is missing: tls_key needs the PEM file of its certificate")
	}
	if h.TLS == TLSACME && len(h.ACMEHosts) == 0 {
		faults.add("http.acme_hosts", `is missing: "acme" needs the names to get certificates for, such as acme_hosts = ["gateway.example.org"]`)
	}
	faults.add("http.acme_directory", checkDirectory(h.ACMEDirectory))
	return faults
}

// checkACMEHost wants a name that an authority can look up; certificates for addresses and for *.NAME need more.
func checkACMEHost(s string) string {
	_, err := netip.ParseAddr(s)
	if err == nil || !isDNSName(s) || !strings.Contains(strings.TrimSuffix(s, "."), ".") {
		return quote(mask(s)) + ` is not a name to get a certificate for: write a whole DNS name, such as "gateway.example.org"`
	}
	return ""
}

var directoryURL = urlKind{"directory", "https://HOST/directory", "https://[2001:db8::1]/directory", false}

func checkDirectory(s string) string {
	if s == "" {
		return ""
	}
	if u, err := url.Parse(s); err == nil && u.Scheme != "https" {
		return quote(mask(s)) + " does not begin with https://, which an ACME directory does (RFC 8555 6.1)"
	}
	return directoryURL.fault(s)
}

// doubts are keys that do nothing beside others, and what others on the way can read.
func (c Config) httpDoubts() Faults {
	h := c.HTTP
	var doubts Faults
	if h.TLS != "" && h.TLSCert != "" {
		doubts.add("http.tls_cert", fmt.Sprintf("does nothing beside tls = %q", h.TLS))
	}
	if h.TLS != TLSACME && len(h.ACMEHosts) > 0 {
		doubts.add("http.acme_hosts", `do nothing: http.tls is not "acme"`)
	}
	public := !(listener{address: h.Listen}).loopback()
	if public && !h.Encrypted() && len(h.TrustedProxies) == 0 && c.Auth.Mode != "none" {
		doubts.add("http.listen", "is plain HTTP that other machines reach: what they send, passwords and tokens too, can be read on its way, and browsers "+
			`give no camera and microphone to the page. Set tls = "self-signed" or tls_cert, or trusted_proxies if a proxy in front speaks HTTPS`)
	}
	if c.Auth.Mode == "none" && oneOf("*", strings.Join(h.AllowOrigins, " ")) {
		doubts.add("http.allow_origins", `with "*" and auth.mode = "none" every page that is open in a browser of this machine can use the gateway: name the origins that may`)
	}
	if everybody(h.TrustedPrefixes()) {
		doubts.add("http.trusted_proxies", "has a network of all addresses: everybody can then say to come from anywhere, and get around what is counted by address")
	}
	return doubts
}
