package session

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"sluice/hub"
	"sluice/transport"
)

const (
	// tooEarly is how long a session may take to connect before anything is said of it, and hushed how long one that is
	// connected may have no media.
	tooEarly = 3 * time.Second
	hushed   = 5 * time.Second
)

// judge finds the cause and the words for it. It looks at nothing but the facts.
func judge(f facts) Verdict {
	cause, detail := f.cause()
	v := Verdict{
		State: f.state, Reason: cause, Detail: detail, Ours: shownOurs(f.ours), Theirs: shownTheirs(f.theirs, f.remote),
		Pairs: pairsOf(f.seen.Pairs), Handshake: f.handshake(), Delivery: f.delivery(), At: f.now.UTC(),
	}
	v.Sentence, v.Advice = f.words(cause, detail)
	return v
}

// cause is what is wrong, and in which way. What a session ended with says most; else what was seen.
func (f *facts) cause() (Cause, string) {
	if f.over {
		if cause, detail, ok := f.endedBy(); ok {
			return cause, detail
		}
	}
	switch {
	case f.connected:
		return f.mediaCause()
	case !f.agreed && f.over:
		return CauseUnanswered, ""
	case !f.agreed:
		return "", ""
	case f.lasted < tooEarly && f.seen.Handshake.Failure == "" && !f.gaveUp():
		return "", ""
	}
	return f.pathCause()
}

// gaveUp reports whether it was we who have waited long enough.
func (f *facts) gaveUp() bool { return f.over && errors.As(f.why, new(*transport.UnreachableError)) }

// endedBy is the cause of an end that has little to do with the connection, or with what it was before.
func (f *facts) endedBy() (Cause, string, bool) {
	var refusal *Refusal
	var gone *transport.UnreachableError
	switch {
	case f.why == nil, errors.Is(f.why, ErrDeleted), errors.Is(f.why, transport.ErrPeerLeft):
		return "", "", f.connected // who leaves before that has waited for a reason
	case errors.As(f.why, new(*transport.FloodError)):
		return CauseFlood, "", true
	case errors.As(f.why, &refusal):
		return CauseRefused, string(refusal.Reason), true
	case errors.Is(f.why, ErrReplaced):
		return CauseRefused, "replaced", true
	case errors.Is(f.why, ErrRevoked):
		return CauseRefused, "revoked", true
	case errors.Is(f.why, ErrSourceGone), errors.Is(f.why, ErrStreamRemoved), errors.Is(f.why, hub.ErrClosed):
		return CauseSourceGone, "", true
	case errors.As(f.why, new(*SourceChangedError)):
		return CauseSourceChanged, "", true
	case errors.Is(f.why, ErrOfferExpired):
		return CauseUnanswered, "", true
	case errors.As(f.why, &gone) && f.connected:
		return CauseConsent, "", true
	case gone != nil, errors.As(f.why, new(*transport.HandshakeError)):
		return "", "", false
	}
	return CauseInternal, "", true
}

// pathCause is why a session is not connected.
func (f *facts) pathCause() (Cause, string) {
	switch c, h := f.seen.Checks, f.seen.Handshake; {
	case f.seen.Path && !h.Came:
		return CauseHandshake, detailNoHello
	case h.Failure != "":
		return CauseHandshake, string(h.Failure)
	case f.seen.Path:
		return CauseHandshake, string(transport.HandshakeTimeout)
	case c.Received > 0 && c.Wrong == c.Received:
		return CauseCredentials, ""
	case c.Received > 0:
		return CauseNotAnswered, ""
	case len(f.ours) == 0:
		return CauseNothingAnnounced, ""
	case f.elsewhere() && f.loopbackAlone():
		return CauseLoopbackOnly, ""
	case f.remote.IsLoopback() && f.loopbackAlone():
		return CauseNothingArrived, detailHere
	case len(f.theirs) > 0 && every(f.theirs, func(c told) bool { return c.kind == "relay" }):
		return CauseRelay, ""
	case len(f.theirs) > 0 && every(f.theirs, func(c told) bool { return c.unusable(f.remote) != "" }):
		return CauseNoCandidates, ""
	}
	return CauseNothingArrived, ""
}

// mediaCause is why a session that is connected shows nothing.
func (f *facts) mediaCause() (Cause, string) {
	switch {
	case f.lasted < hushed:
		return "", ""
	case f.role == RolePublish && f.received == 0:
		return CauseNoMedia, detailSilent
	case f.role == RolePublish:
		return "", ""
	case !f.source:
		return CauseNoMedia, detailOffline
	case f.sent == 0:
		return CauseNoMedia, detailKeyframe
	case !f.seen.Heard && f.lasted >= 2*hushed:
		return CauseNoMedia, detailUnheard
	}
	return "", ""
}

// The details of CauseNoMedia.
const (
	detailOffline  = "source_offline" // nothing comes from the source
	detailKeyframe = "no_keyframe"    // nothing that a viewer could begin with
	detailUnheard  = "unheard"        // it was sent, and the viewer has not said that it came
	detailSilent   = "silent"         // nothing has come from the publisher
)

const (
	// detailNoHello is that of CauseHandshake where nothing of the peer's has come; else it is a transport.HandshakeFailure.
	detailNoHello = "no_hello"
	// detailHere is that of CauseNothingArrived where a peer was taken for one on this machine, and told of loopback alone.
	detailHere = "loopback"
)

// loopbackAlone reports whether we have told addresses of this machine alone.
func (f *facts) loopbackAlone() bool {
	return every(f.ours, func(c told) bool { return c.addr.IsLoopback() })
}

// elsewhere reports whether the peer is on another machine.
func (f *facts) elsewhere() bool { return f.remote.IsValid() && !f.remote.IsLoopback() }

// hidden reports whether we have told private addresses alone to a peer that came from a public one.
func (f *facts) hidden() bool {
	return f.elsewhere() && !isPrivate(f.remote) && every(f.ours, func(c told) bool {
		return isPrivate(c.addr) || c.addr.IsLoopback()
	})
}

// shared are addresses that a provider's NAT has behind it (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || shared.Contains(a) || a.IsLinkLocalUnicast()
}

func every(list []told, is func(told) bool) bool {
	return !slices.ContainsFunc(list, func(c told) bool { return !is(c) })
}

func pairsOf(list []transport.Pair) []Pair {
	var pairs []Pair
	for _, p := range list {
		pair := Pair{
			Remote: p.Remote.String(), Protocol: protocolOf(p.TCP), Used: p.Used,
			Received: p.Checks.Received, Answered: p.Checks.Answered, Sent: p.Checks.Sent, Returned: p.Checks.Returned,
		}
		if p.Local.IsValid() {
			pair.Local = p.Local.String()
		}
		pairs = append(pairs, pair)
	}
	return pairs
}

func (f *facts) handshake() string {
	switch h := f.seen.Handshake; {
	case h.Done:
		return "done"
	case h.Failure != "":
		return "failed: " + string(h.Failure)
	case h.Came && h.Sent:
		return "begun"
	case h.Came:
		return "the peer's came, ours was not sent"
	case h.Sent:
		return "ours was sent, the peer's has not come"
	}
	return "not begun"
}

func (f *facts) delivery() []string {
	var list []string
	for _, c := range f.choices {
		if c.Reason != "" {
			list = append(list, kindOf(c.Kind)+": "+c.Reason)
		}
	}
	return list
}
