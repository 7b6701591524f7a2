package certificate

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
)

// reason is a sentence, without its full stop, that tells a user why there is no certificate and what mends it.
func reason(host string, err error) string {
	if refused := problems(err); len(refused) > 0 {
		var parts []string
		for _, p := range refused {
			parts = append(parts, p.sentence(host))
		}
		return strings.Join(parts, "; ")
	}
	var untrusted x509.UnknownAuthorityError
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &untrusted):
		return "the certificate of the authority itself is not trusted here: name its root in the environment variable SSL_CERT_FILE"
	case errors.As(err, &lookup), errors.As(err, &network):
		return "the authority can't be reached from here: look at http.acme_directory and at what the firewall lets out"
	case errors.Is(err, context.DeadlineExceeded):
		return "the authority did not answer in time"
	}
	return err.Error()
}

// refusal is a problem document of the authority, and the kind of challenge it is about, "" for none.
type refusal struct {
	kind string
	*acme.Error
}

// problems finds what the authority said within an error of ours.
func problems(err error) (found []refusal) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // each part of a joined error is looked into by itself
		for _, e := range joined.Unwrap() {
			found = append(found, problems(e)...)
		}
		return found
	}
	kind := ""
	var challenge *challengeError
	if errors.As(err, &challenge) {
		kind = challenge.kind
	}
	var authorization *acme.AuthorizationError
	var order *acme.OrderError
	var problem *acme.Error
	switch {
	case errors.As(err, &authorization):
		for _, e := range authorization.Errors {
			if errors.As(e, &problem) {
				found = append(found, refusal{kind, problem})
			}
		}
	case errors.As(err, &order) && order.Problem != nil:
		found = append(found, refusal{kind, order.Problem})
	case errors.As(err, &problem):
		found = append(found, refusal{kind, problem})
	}
	return found
}

// sentence says what a problem of RFC 8555 6.7 means here.
func (r refusal) sentence(host string) string {
	port := map[string]string{overHTTP: "port 80", overTLS: "port 443"}[r.kind]
	if port == "" {
		port = "the port"
	}
	text := fmt.Sprintf("the authority says: %s", r.Detail)
	switch r.ProblemType[strings.LastIndexByte(r.ProblemType, ':')+1:] {
	case "dns":
		text = fmt.Sprintf("the name %s does not resolve: it needs a DNS record with the address of this gateway", host)
	case "connection":
		text = fmt.Sprintf("%s of %s can't be reached from outside: it has to be forwarded to this gateway", port, host)
	case "unauthorized", "incorrectResponse", "tls":
		text = fmt.Sprintf("what answers on %s of %s is not this gateway: look where the name points and what is forwarded", port, host)
	case "caa":
		text = fmt.Sprintf("a CAA record of %s forbids this authority", host)
	case "rateLimited":
		text = "the authority's limit is reached"
	case "rejectedIdentifier":
		text = fmt.Sprintf("the authority gives no certificates for %s", host)
	case "externalAccountRequired":
		text = "the authority wants an account that is made on its web site; that is not supported"
	default:
		return text
	}
	if r.Detail != "" {
		text += fmt.Sprintf(" (%s)", r.Detail)
	}
	return text
}

// askedToWait is how long the authority wants us to wait, 0 if it says nothing.
func askedToWait(err error) (wait time.Duration) {
	for _, p := range problems(err) {
		if d, ok := acme.RateLimit(p.Error); ok {
			wait = max(wait, d)
		}
	}
	return min(wait, 24*time.Hour)
}
