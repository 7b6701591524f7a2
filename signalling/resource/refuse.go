package resource

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/session"
	"sluice/signalling/problem"
)

// statusOf is the HTTP status of each reason for a refusal.
var statusOf = map[session.Reason]int{
	session.ReasonMalformedSDP:   http.StatusBadRequest,
	session.ReasonTooLarge:       http.StatusRequestEntityTooLarge,
	session.ReasonUnservable:     http.StatusUnprocessableEntity,
	session.ReasonCodec:          http.StatusUnprocessableEntity,
	session.ReasonCapacity:       http.StatusServiceUnavailable,
	session.ReasonNoStream:       http.StatusNotFound,
	session.ReasonSourceOffline:  http.StatusConflict,
	session.ReasonBusy:           http.StatusConflict,
	session.ReasonNotPublishable: http.StatusForbidden,
	session.ReasonLimit:          http.StatusServiceUnavailable,
	session.ReasonHostLimit:      http.StatusTooManyRequests,
	session.ReasonAltered:        http.StatusServiceUnavailable,
	session.ReasonShutdown:       http.StatusServiceUnavailable,

	session.ReasonMalformedFragment: http.StatusBadRequest,
	session.ReasonFragmentTooLarge:  http.StatusRequestEntityTooLarge,
	session.ReasonStaleGeneration:   http.StatusPreconditionFailed,
	session.ReasonGenerationUnsaid:  http.StatusPreconditionRequired,
	session.ReasonTooMany:           http.StatusTooManyRequests,
	session.ReasonNotPending:        http.StatusConflict,
	session.ReasonMalformedLayer:    http.StatusBadRequest,
	session.ReasonLayer:             http.StatusNotFound,
	session.ReasonGone:              http.StatusNotFound,
}

const retryBusy = 2 * time.Second // when whoever was not answered in time may come again

// Refuse answers a request that a session, or the making of one, refused. What is no refusal is a defect of ours:
// its text is for the log.
func (s *Resources) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *session.Refusal
	status, known := 0, false
	if errors.As(err, &refusal) {
		status, known = statusOf[refusal.Reason]
	}
	switch {
	case known && refusal.Reason == session.ReasonGone:
		s.notFound(w, r)
	case known:
		p := problem.New(status, string(refusal.Reason), refusal.Error())
		p.RetryAfter = refusal.RetryAfter
		problem.Write(w, p)
	case r.Context().Err() != nil: // the client has gone: nobody is left to tell
	case errors.Is(err, context.DeadlineExceeded):
		p := problem.New(http.StatusServiceUnavailable, "busy", "The gateway is too busy to answer in time.")
		p.RetryAfter = retryBusy
		problem.Write(w, p)
	default:
		s.log.Error("a session's request failed", "method", r.Method, "err", err)
		problem.Write(w, problem.New(http.StatusInternalServerError, "internal",
			"The gateway could not do this; its log says why."))
	}
}
