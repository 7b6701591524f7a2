package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// errMetadata tells that the gateway connects to this address for nobody.
var errMetadata = errors.New("it is a metadata service, to which connections are refused")

// StatusError is a refusal by the server.
type StatusError struct {
	Method        string
	Host          string // scheme and host of who refused
	Status        int
	Detail        string        // the server's own words, made safe; "" if it gave none
	RetryAfter    time.Duration // as the server asks, at most 300 s; 0 if it does not
	TokenWithheld bool          // there is a token, which was not sent since another origin answers
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("%s answers %s with status %d", e.Host, e.Method, e.Status)
	if name := http.StatusText(e.Status); name != "" {
		text += " (" + name + ")"
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.TokenWithheld && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		text += "; the token was not sent, as redirects have led to another origin: configure its URL"
	}
	return text
}

// Final reports whether a retry is in vain: RFC 9725 4.1 tells to act on classes of status codes, and some of the
// 4xx are about time.
func (e *StatusError) Final() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status/100 != 5
}

// RedirectError tells that the server sends us to a place that we do not go to.
type RedirectError struct {
	Host   string // scheme and host of who redirects
	Status int    // 0: after too many
	Reason string
}

func (e *RedirectError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("redirects lead to %s: %s", e.Host, e.Reason)
	}
	return fmt.Sprintf("%s redirects (status %d): %s", e.Host, e.Status, e.Reason)
}

// Final is true: the same request leads to the same place.
func (e *RedirectError) Final() bool { return true }

// ProtocolError tells that what answers is no WHIP or WHEP endpoint, or a broken one.
type ProtocolError struct {
	Host   string // scheme and host
	Reason string
	Err    error // may be nil
}

func (e *ProtocolError) Error() string { return e.Host + " " + e.Reason }

func (e *ProtocolError) Unwrap() error { return e.Err }

// Final is true: this is for a person to mend.
func (e *ProtocolError) Final() bool { return true }

// UnreachableError tells that the server gave no answer.
type UnreachableError struct {
	Host string // scheme and host
	Err  error
}

func (e *UnreachableError) Error() string { return e.Host + " " + fault(e.Err) }

func (e *UnreachableError) Unwrap() error { return e.Err }

func fault(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "is no known host: check the name"
	case errors.As(err, &dns):
		return "could not be looked up: the name server does not answer"
	case errors.Is(err, errMetadata):
		return "is not asked: " + errMetadata.Error()
	case errors.As(err, &certificate):
		return fmt.Sprintf("shows a certificate that is not trusted: %v", certificate.Err)
	case errors.As(err, new(tls.RecordHeaderError)):
		return "does not speak TLS: check the port, or use the scheme without TLS"
	case errors.As(err, &network) && network.Op == "remote error": // an alert, whose type crypto/tls keeps to itself
		return "breaks off TLS: it may know no version or cipher of ours, or want a certificate of us"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses the connection: check the port, and that the server runs"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "cannot be reached: there is no way to that network or host"
	case errors.Is(err, context.DeadlineExceeded):
		return "does not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "hangs up without an answer"
	}
	return "does not answer as an HTTP server" // err may quote a header line, secrets and all
}

// IsFinal reports whether err, or an error that it wraps, is one that a retry won't mend.
func IsFinal(err error) bool {
	var f interface{ Final() bool }
	return errors.As(err, &f) && f.Final()
}

// RetryAfter is how long the server has asked to be left alone, at most 300 s; 0 if it has not.
func RetryAfter(err error) time.Duration {
	var s *StatusError
	if errors.As(err, &s) {
		return s.RetryAfter
	}
	return 0
}
