package resource

import (
	"errors"
	"net/http"

	"sluice/session"
	"sluice/signalling/problem"
)

// statusOf is the HTTP status of each reason for a refusal.
var statusOf = map[session.Reason]int{
	session.ReasonMalformedSDP:  http.StatusBadRequest,
	session.ReasonTooLarge:      http.StatusRequestEntityTooLarge,
	session.ReasonUnservable:    http.StatusUnprocessableEntity,
	session.ReasonCodec:         http.StatusUnprocessableEntity,
	session.ReasonNoStream:      http.StatusNotFound,
	session.ReasonSourceOffline: http.StatusConflict,
	session.ReasonShutdown:      http.StatusServiceUnavailable,
}

// refuse answers a request that got no session. What is no refusal is a defect of ours: its text is for the log.
func (s *Resources) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *session.Refusal
	status, known := 0, false
	if errors.As(err, &refusal) {
		status, known = statusOf[refusal.Reason]
	}
	if !known {
		s.log.Error("no session could be made", "path", r.URL.Path, "err", err)
		problem.Write(w, problem.New(http.StatusInternalServerError, "internal",
			"The gateway could not make the session; its log says why."))
		return
	}
	p := problem.New(status, string(refusal.Reason), refusal.Error())
	p.RetryAfter = refusal.RetryAfter
	problem.Write(w, p)
}
