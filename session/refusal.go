package session

import (
	"errors"
	"fmt"
	"time"

	"sluice/auth"
	"sluice/hub"
	"sluice/negotiation"
)

// Reason says why a session was refused, in terms that every front end maps to its own codes.
type Reason string

// The reasons of a Refusal, of a session first.
const (
	ReasonMalformedSDP   Reason = "malformed_sdp"
	ReasonTooLarge       Reason = "sdp_too_large"
	ReasonUnservable     Reason = "unservable_offer"   // understood, but asks for what is not done
	ReasonCodec          Reason = "unsupported_codec"  // the viewer can't take what the source sends, or we what a publisher sends
	ReasonCapacity       Reason = "no_transcoder_free" // it could be made for the viewer, but not now
	ReasonNoStream       Reason = "stream_not_found"
	ReasonSourceOffline  Reason = "source_not_ready"
	ReasonBusy           Reason = "publisher_conflict" // somebody else publishes
	ReasonNotPublishable Reason = "not_publishable"    // the stream has a source of its own
	ReasonLimit          Reason = "limit_reached"      // of the gateway or the stream
	ReasonHostLimit      Reason = "host_limit_reached" // of the peer's address
	ReasonAltered        Reason = "stream_altered"     // its configuration has changed while the session was made
	ReasonShutdown       Reason = "shutting_down"
	ReasonInternal       Reason = "internal"
)

// The reasons why a session does not do what it is asked for.
const (
	ReasonMalformedFragment Reason = "malformed_fragment"
	ReasonFragmentTooLarge  Reason = "fragment_too_large"
	ReasonStaleGeneration   Reason = "stale_generation"         // the request is about an ICE generation of the past
	ReasonGenerationUnsaid  Reason = "precondition_required"    // it does not say which it is about
	ReasonTooMany           Reason = "too_many"                 // requests, ICE restarts or listeners
	ReasonNotPending        Reason = "no_counter_offer_pending" // an answer where none is waited for
	ReasonMalformedLayer    Reason = "malformed_layer"
	ReasonLayer             Reason = "unknown_layer"
	ReasonGone              Reason = "session_not_found" // it is over
)

// Refusal tells why there is no session. Its text is a sentence for the user.
type Refusal struct {
	Reason     Reason
	RetryAfter time.Duration // when it may be worth trying again; 0: not said
	Err        error
}

func (r *Refusal) Error() string { return r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }

// to is the refusal in words for a principal: what keeps a source away tells where it is, which is for those to know
// who run the gateway. It returns r itself where there is nothing to leave out.
func (r *Refusal) to(p *auth.Principal) *Refusal {
	var offline *SourceOfflineError
	if p == nil || p.Kind == auth.ModeNone || p.May(auth.Admin, "") || !errors.As(r.Err, &offline) || offline.Why == nil {
		return r
	}
	told, discreet := *r, *offline
	discreet.Why = errUnreachable
	told.Err = &discreet
	return &told
}

// errUnreachable stands for what only the log and the API's administrators are told.
var errUnreachable = errors.New("its source can't be reached; whoever runs the gateway can see why")

// SourceOfflineError tells that the stream is known, but that nothing comes from its source.
type SourceOfflineError struct {
	Stream      string
	State       hub.State
	Why         error // what keeps the source from being reached; nil if it has not been tried long enough
	Unpublished bool  // the stream is fed by publishers, of whom none is there
	Waited      bool  // the request has waited for the source already: it may come again at once
}

func (e *SourceOfflineError) Error() string {
	switch {
	case e.State == hub.StateReady:
		return fmt.Sprintf("stream %q has no picture yet: its source is connected, but has sent no keyframe", e.Stream)
	case e.Unpublished:
		return fmt.Sprintf("nobody publishes to stream %q now", e.Stream)
	case e.Why == nil:
		return fmt.Sprintf("stream %q has no picture yet: its source is %s", e.Stream, e.State)
	}
	return fmt.Sprintf("stream %q is offline: %v", e.Stream, e.Why)
}

// NotPublishableError tells that nobody may publish to a stream, which has a source of its own.
type NotPublishableError struct{ Stream string }

func (e *NotPublishableError) Error() string {
	return fmt.Sprintf("stream %q has a source of its own; only a stream with source = \"publish\" takes publishers", e.Stream)
}

// refusalOf classifies an error on the way to a session, or in it.
func refusalOf(err error) *Refusal {
	var r *Refusal
	var offline *SourceOfflineError
	var full *negotiation.CapacityError
	if errors.As(err, &r) {
		return r
	}
	r = &Refusal{Reason: ReasonInternal, Err: err}
	switch {
	case errors.As(err, new(*negotiation.OfferTooLargeError)):
		r.Reason = ReasonTooLarge
	case errors.As(err, new(*negotiation.MalformedOfferError)), errors.As(err, new(*negotiation.MalformedAnswerError)):
		r.Reason = ReasonMalformedSDP
	case errors.As(err, new(*negotiation.UnservableOfferError)), errors.As(err, new(*negotiation.RejectedSectionError)),
		errors.As(err, new(*negotiation.UnusableAnswerError)):
		r.Reason = ReasonUnservable
	case errors.As(err, new(*negotiation.MalformedFragmentError)):
		r.Reason = ReasonMalformedFragment
	case errors.As(err, new(*negotiation.FragmentTooLargeError)):
		r.Reason = ReasonFragmentTooLarge
	case errors.As(err, new(*negotiation.NoCodecError)):
		r.Reason = ReasonCodec
	case errors.As(err, &full):
		r.Reason, r.RetryAfter = ReasonCapacity, full.RetryAfter
	case errors.As(err, new(*hub.StreamNotFoundError)), errors.Is(err, hub.ErrClosed):
		r.Reason = ReasonNoStream
	case errors.As(err, new(*NotPublishableError)):
		r.Reason = ReasonNotPublishable
	case errors.As(err, new(*BusyError)):
		r.Reason = ReasonBusy
	case errors.As(err, &offline):
		r.Reason = ReasonSourceOffline
		if !offline.Waited {
			r.RetryAfter = retrySource
		}
	}
	return r
}

// refuse is a refusal in words of its own.
func refuse(reason Reason, format string, args ...any) error {
	return &Refusal{Reason: reason, Err: fmt.Errorf(format, args...)}
}
