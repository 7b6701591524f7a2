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

// maxDetail bounds what is repeated of the authority's own words.
const maxDetail = 300

// reason is a sentence, without its full stop, that tells a user why there is no certificate and what mends it.
func reason(host string, err error) string {
	if refused := problems(err); len(refused) > 0 {
		return refusals(host, refused)
	}
	var untrusted x509.UnknownAuthorityError
	var network *net.OpError
	switch {
	case errors.As(err, &untrusted):
		return "the certificate of the authority itself is not trusted here: name its root in the environment variable SSL_CERT_FILE"
	case errors.As(err, &network):
		return fmt.Sprintf("the authority can't be reached from here: look at http.acme_directory and at the firewall (%v)", network)
	case errors.Is(err, context.DeadlineExceeded):
		return "the authority did not answer in time"
	}
	return err.Error()
}

// refusals joins what was said of each try. What is the same for several is said once, with the first detail.
func refusals(host string, refused []refusal) string {
	said := map[string]bool{}
	var parts []string
	for _, r := range refused {
		text := r.sentence(host)
		if said[text] {
			continue
		}
		said[text] = true
		if r.Detail != "" {
			text += fmt.Sprintf(" (%.*s)", maxDetail, r.Detail)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// refusal is a problem document of the authority, and the kind of challenge it is about, "" for none.
type refusal struct {
	kind string
	*acme.Error
}

// problems finds what the authority said within an error of ours.
func problems(err error) (found []refusal) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
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
	port := map[string]string{overHTTP: "port 80 of ", overTLS: "port 443 of "}[r.kind] + host
	switch r.what() {
	case "dns":
		return "the name " + host + " does not resolve: it needs a DNS record with the address of this gateway"
	case "connection":
		return port + " can't be reached from outside: it has to be forwarded to this gateway"
	case "unauthorized", "incorrectResponse", "tls":
		return "what answers on " + port + " is not this gateway: look where the name points and what is forwarded"
	case "caa":
		return "a CAA record of " + host + " forbids this authority"
	case "rateLimited":
		return "the authority's limit is reached"
	case "rejectedIdentifier":
		return "the authority gives no certificates for " + host
	case "externalAccountRequired":
		return "the authority wants an account made on its web site, which is not supported"
	}
	return "the authority refused"
}

// what is the last part of the problem's type. Some authorities have no type of their own for names that don't resolve.
func (r refusal) what() string {
	if detail := strings.ToLower(r.Detail); strings.Contains(detail, "could not resolve") || strings.Contains(detail, "no such host") {
		return "dns"
	}
	return r.ProblemType[strings.LastIndexByte(r.ProblemType, ':')+1:]
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
