package transport

import "net/netip"

// MaxPairs is how many pairs of addresses Evidence tells of.
const MaxPairs = 16

// Evidence is what a connection has seen of its peer by now: why it has come about, or why not.
type Evidence struct {
	Checks    Checks // of all pairs together
	Pairs     []Pair // that anything came over, or was tried on; MaxPairs at most
	Fault     error  // why an answer to a check could not be sent, the last time: a *SendError; nil: they all went out
	Path      bool   // a pair was found that works
	Handshake Handshake
	Heard     bool // the peer has sent media, or told what it gets (RTCP)
}

// Checks counts the connectivity checks of ICE (RFC 8445 7), without those that are no use to anybody: malformed ones.
type Checks struct {
	Received uint32 // from the peer, for this connection
	Wrong    uint32 // of those: without the right password or user name
	Answered uint32 // of those: the answer was handed to the system
	Sent     uint32 // to the peer; the fast way sends none
	Returned uint32 // of those: answered
}

// Pair is what is known of one address of the peer's.
type Pair struct {
	Local  netip.Addr     // of ours; invalid: not known
	Remote netip.AddrPort // of the peer's
	TCP    bool
	Used   bool // media go there
	Checks Checks
}

// Handshake is how far DTLS has come.
type Handshake struct {
	Came     bool // something of the peer's handshake has come
	Sent     bool // and something of ours was sent
	Done     bool // keys are agreed on
	Failure  HandshakeFailure
	Alert    uint8 // the code of the last alert that went in plain text (RFC 5246 7.2), with which it ended; 0: none
	AlertOut bool  // it was ours
}

// HandshakeFailure is why no keys were agreed on.
type HandshakeFailure string

// The failures.
const (
	HandshakeCertificate HandshakeFailure = "certificate" // the peer's is not the one of its SDP
	HandshakeTimeout     HandshakeFailure = "timeout"     // it did not come to an end
	HandshakeProfile     HandshakeFailure = "profile"     // no SRTP profile in common
	HandshakeRefused     HandshakeFailure = "refused"     // the peer has ended it, with an alert
	HandshakeOther       HandshakeFailure = "other"
)

// Codes of alerts that tell what is wrong (RFC 5246 7.2).
const (
	alertBadCertificate     = 42
	alertInsufficientSecret = 71
)

// FailureBy is what an alert means that was the last word of a handshake; "" for none.
func FailureBy(alert uint8, ours bool) HandshakeFailure {
	switch {
	case alert == 0:
		return ""
	case !ours:
		return HandshakeRefused
	case alert == alertBadCertificate:
		return HandshakeCertificate
	case alert == alertInsufficientSecret:
		return HandshakeProfile
	}
	return HandshakeOther
}
