package session

import (
	"errors"
	"fmt"
	"time"

	"sluice/hub"
	"sluice/negotiation"
)

// Reason says why a session was refused, in terms that every front end maps to its own codes.
type Reason string

// The reasons of a Refusal.
const (
	ReasonMalformedSDP  Reason = "malformed_sdp"
	ReasonTooLarge      Reason = "sdp_too_large"
	ReasonUnservable    Reason = "unservable_offer"  // understood, but asks for what is not done
	ReasonCodec         Reason = "unsupported_codec" // the viewer can't take what the source sends
	ReasonNoStream      Reason = "stream_not_found"
	ReasonSourceOffline Reason = "source_not_ready"
	ReasonShutdown      Reason = "shutting_down"
	ReasonInternal      Reason = "internal"
)

// Refusal tells why there is no session. Its text is a sentence for the user.
type Refusal struct {
	Reason     Reason
	RetryAfter time.Duration // when it may be worth trying again; 0: not said
	Err        error
}

func (r *Refusal) Error() string { return r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }

// SourceOfflineError tells that the stream is known, but that nothing comes from its source.
type SourceOfflineError struct {
	Stream string
	State  hub.State
	Why    error // what keeps the source from being reached; nil if it has not been tried long enough
	Waited bool  // the request has waited for the source already: it may come again at once
}

func (e *SourceOfflineError) Error() string {
	if e.State == hub.StateReady {
		return fmt.Sprintf("stream %q has no picture yet: its source is connected, but has sent no keyframe", e.Stream)
	}
	if e.Why == nil {
		return fmt.Sprintf("stream %q has no picture yet: its source is %s", e.Stream, e.State)
	}
	return fmt.Sprintf("stream %q is offline: %v", e.Stream, e.Why)
}

// refusalOf classifies an error on the way to a session.
func refusalOf(err error) *Refusal {
	var r *Refusal
	var offline *SourceOfflineError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, new(*negotiation.OfferTooLargeError)):
		return &Refusal{Reason: ReasonTooLarge, Err: err}
	case errors.As(err, new(*negotiation.MalformedOfferError)):
		return &Refusal{Reason: ReasonMalformedSDP, Err: err}
	case errors.As(err, new(*negotiation.UnservableOfferError)), errors.As(err, new(*negotiation.RejectedSectionError)):
		return &Refusal{Reason: ReasonUnservable, Err: err}
	case errors.As(err, new(*negotiation.NoCodecError)):
		return &Refusal{Reason: ReasonCodec, Err: err}
	case errors.As(err, new(*hub.StreamNotFoundError)), errors.Is(err, hub.ErrClosed):
		return &Refusal{Reason: ReasonNoStream, Err: err}
	case errors.As(err, &offline) && offline.Waited:
		return &Refusal{Reason: ReasonSourceOffline, Err: err}
	case offline != nil:
		return &Refusal{Reason: ReasonSourceOffline, RetryAfter: retrySource, Err: err}
	default:
		return &Refusal{Reason: ReasonInternal, Err: err}
	}
}
