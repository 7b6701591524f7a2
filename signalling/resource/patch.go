package resource

import (
	"io"
	"net/http"

	"sluice/session"
	"sluice/signalling/problem"
)

const (
	fragmentType = "application/trickle-ice-sdpfrag"
	maxFragment  = 16 << 10 // bytes (A70)
)

// patch takes what the peer has to say after its offer: by its type a fragment, or the answer to a counter-offer
// (B7).
func (s *Resources) patch(w http.ResponseWriter, r *http.Request, url string) {
	e, ok := s.find(url)
	if !ok {
		s.notFound(w, r)
		return
	}
	if !s.owns(w, r, e) {
		return
	}
	mediaType, body, ok := ReadBody(w, r, Accepted{Limit: max(maxFragment, int(s.maxSDP.Load())), Types: []string{fragmentType, sdpType}, TooLarge: &s.bodies})
	if !ok {
		return
	}
	if mediaType == fragmentType && len(body) > maxFragment {
		problem.Write(w, problem.New(http.StatusRequestEntityTooLarge, "fragment_too_large", "A fragment may have 16 KiB."))
		return
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-r.Context().Done():
		return // the client has gone
	}
	g, ok := s.precondition(w, r, e)
	switch {
	case !ok:
	case mediaType == sdpType:
		s.takeAnswer(w, r, e, body)
	default:
		s.takeFragment(w, r, e, body, g)
	}
}

// takeFragment answers 204 to candidates, and 200 with our own fragment and a new ETag to an ICE restart (A71, A73).
func (s *Resources) takeFragment(w http.ResponseWriter, r *http.Request, e *entry, fragment string, g session.Generation) {
	ours, err := e.made.Session.Patch(fragment, g)
	switch {
	case err != nil:
		s.Refuse(w, r, err)
	case ours == "":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", fragmentType)
		w.Header().Set("ETag", s.etag(e, e.made.Session.Generation()))
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, ours) // if the client has gone, it will restart once more
	}
}

func (s *Resources) takeAnswer(w http.ResponseWriter, r *http.Request, e *entry, answer string) {
	if err := e.made.Session.Answer(answer); err != nil {
		s.Refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// precondition says which ICE generation If-Match means; if there is none such, the request has been answered and
// ok is false.
func (s *Resources) precondition(w http.ResponseWriter, r *http.Request, e *entry) (g session.Generation, ok bool) {
	current := e.made.Session.Generation()
	m, err := parseIfMatch(r.Header.Values("If-Match"), s.etag(e, current))
	switch {
	case err != nil:
		problem.Write(w, problem.New(http.StatusBadRequest, "if_match", "The If-Match header is malformed: "+err.Error()+"."))
		return 0, false
	case m == matchUnsaid:
		return session.GenerationUnsaid, true
	case m == matchAny:
		return session.GenerationAny, true
	case m == matchCurrent:
		return current, true
	default:
		problem.Write(w, problem.New(http.StatusPreconditionFailed, "stale_generation",
			"If-Match names no ETag of the present ICE generation: take the newest, or * for an ICE restart."))
		return 0, false
	}
}
