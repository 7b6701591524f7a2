package rtsp

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// AuthFailedError tells that the camera does not accept the user and password, or that it wants some and the
// URL has none.
type AuthFailedError struct {
	Address string
	Missing bool // the URL has no user
}

func (e *AuthFailedError) Error() string {
	if e.Missing {
		return fmt.Sprintf("%s asks for a user and password: put them into the URL, as rtsp://user:password@host/", e.Address)
	}
	return fmt.Sprintf("%s refuses the user or the password", e.Address)
}

// NotFoundError tells that the camera has no stream of the URL's path.
type NotFoundError struct{ URL string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("the camera has no stream at %s: check the path", e.URL)
}

// UnreachableError tells that no connection to the camera could be made.
type UnreachableError struct {
	Address string // host:port
	Err     error
}

func (e *UnreachableError) Error() string { return e.Address + " " + dialFault(e.Err) }

func (e *UnreachableError) Unwrap() error { return e.Err }

func dialFault(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "is no known host: check the name"
	case errors.As(err, &dns):
		return "could not be looked up: the name server does not answer"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refuses the connection: check the port, and that RTSP is switched on"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "cannot be reached: there is no way to that network or host"
	case isTimeout(err):
		return "does not answer: check the address, and that the camera is on"
	}
	return "cannot be reached: " + err.Error()
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// RefusedAddressError tells that the gateway does not connect to this address for anybody.
type RefusedAddressError struct{ Address string }

func (e *RefusedAddressError) Error() string {
	return fmt.Sprintf("%s is a metadata service, no camera: connections to it are refused", e.Address)
}

// TLSError tells that no trusted TLS connection could be made.
type TLSError struct {
	Address     string
	Fingerprint string // SHA-256 of the camera's certificate in hex; "" if it showed none
	Err         error
}

func (e *TLSError) Error() string {
	if e.Fingerprint == "" {
		return fmt.Sprintf("no TLS connection to %s: %v", e.Address, e.Err)
	}
	return fmt.Sprintf("the certificate of %s is not trusted (%v): set tls_fingerprint = %q to accept just this one, or tls_insecure = true to accept any",
		e.Address, e.Err, e.Fingerprint)
}

func (e *TLSError) Unwrap() error { return e.Err }

// NotRTSPError tells that something else than an RTSP server answers.
type NotRTSPError struct {
	Address string
	Speaks  string // "HTTP", or "" if unknown
}

func (e *NotRTSPError) Error() string {
	if e.Speaks != "" {
		return fmt.Sprintf("%s speaks %s, not RTSP: check the port (RTSP is usually 554)", e.Address, e.Speaks)
	}
	return fmt.Sprintf("%s does not speak RTSP: check the port (usually 554), and whether it wants rtsps://", e.Address)
}

// ProtocolError tells that the camera breaks the protocol in a way that cannot be repaired.
type ProtocolError struct{ Reason string }

func (e *ProtocolError) Error() string { return "the camera breaks the RTSP protocol: " + e.Reason }

// StatusError is a refusal that has no error type of its own.
type StatusError struct {
	Method string
	Code   int
	Reason string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the camera answers %s with %d %s", e.Method, e.Code, e.Reason)
}

// NoMediaError tells that the camera offers no track that can be carried.
type NoMediaError struct {
	Skipped []string // why, for each track that it offers
}

func (e *NoMediaError) Error() string {
	if len(e.Skipped) == 0 {
		return "the camera offers no track at all: check the path, and the camera's stream settings"
	}
	return fmt.Sprintf("the camera offers nothing that can be carried: %s", e.Skipped[0])
}

// TransportRefusedError tells that the camera does not send its media in this way.
type TransportRefusedError struct{ Transport Transport }

func (e *TransportRefusedError) Error() string {
	return fmt.Sprintf("the camera refuses transport %q: set transport = \"auto\", or another one", e.Transport)
}

// TimeoutError tells that the camera has been silent for too long.
type TimeoutError struct {
	Missing string // "answer" or "media"
	After   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no %s from the camera for %v", e.Missing, e.After)
}

// RedirectError tells that the camera sends us to a place that we do not go to.
type RedirectError struct {
	To     string // redacted
	Reason string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the camera redirects to %s: %s", e.To, e.Reason)
}

// EndedError tells that the camera ended the session itself.
type EndedError struct {
	Reason string
	Err    error // of the connection; may be nil
}

func (e *EndedError) Error() string { return "the camera " + e.Reason }

func (e *EndedError) Unwrap() error { return e.Err }
