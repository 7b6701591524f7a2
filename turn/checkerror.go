package turn

import (
	"fmt"
	"net/netip"
)

// UnreachableError says that nothing at the address speaks TURN over this transport.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s does not answer: %v; is the port open in every firewall on the way?", e.URL, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// CertificateError says that the certificate of a turns: server is none that browsers accept.
type CertificateError struct {
	URL string
	Err error
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("the certificate of %s is not accepted: %v", e.URL, e.Err)
}

func (e *CertificateError) Unwrap() error { return e.Err }

// UnauthorizedError says that the credentials were refused.
type UnauthorizedError struct{ URL string }

func (e *UnauthorizedError) Error() string {
	return e.URL + " refuses the credentials: the secrets differ, or the clocks of both machines do"
}

// QuotaError says that no allocation is left.
type QuotaError struct {
	URL  string
	Code int // 486, or 508 without capacity
}

func (e *QuotaError) Error() string {
	if e.Code == codeNoCapacity {
		return e.URL + " has no relay port left (508)"
	}
	return fmt.Sprintf("%s gives no allocation, for a quota is reached (%d)", e.URL, e.Code)
}

// ForbiddenError says that a server's peer policy does not let relays reach the peer.
type ForbiddenError struct {
	URL  string
	Peer netip.AddrPort
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("%s forbids its relays to reach %v: allow that address in its peer policy", e.URL, e.Peer)
}

// RefusedError is any other error response.
type RefusedError struct {
	URL  string
	Code int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refuses the allocation with error %d", e.URL, e.Code)
}

// NoAnswerError says that the relay works, and that no answer of the peer came through it.
type NoAnswerError struct {
	URL     string
	Peer    netip.AddrPort
	Relayed netip.AddrPort
}

func (e *NoAnswerError) Error() string {
	return fmt.Sprintf("the relay %v of %s gets no answer from %v: does the relay's machine reach that port?",
		e.Relayed, e.URL, e.Peer)
}
