package resource

import (
	"net/http"

	"sluice/signalling/problem"
)

// ServeSession answers a request to a session's URL. endpoint is the path that the offer was posted to.
func (s *Resources) ServeSession(w http.ResponseWriter, r *http.Request, endpoint, id string) {
	w.Header().Set("Cache-Control", "no-store")
	url := endpoint + "/" + id
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Allow", sessionMethods)
		w.Header().Set("Accept-Patch", fragmentType)
		w.Header().Set("Access-Control-Allow-Methods", corsMethods)
		w.WriteHeader(http.StatusOK)
	case http.MethodGet, http.MethodHead:
		s.get(w, r, url)
	case http.MethodPatch:
		s.patch(w, r, url)
	case http.MethodDelete:
		s.delete(w, r, url)
	default:
		problem.MethodNotAllowed(w, sessionMethods)
	}
}

// ServeBelow answers a request to a URL below a session's; path holds the segments after its ID. That of its verdict
// any session has, also for a while after its end.
func (s *Resources) ServeBelow(w http.ResponseWriter, r *http.Request, endpoint, id string, path []string) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodPost && !allow(w, s.posts, r) {
		return
	}
	if len(path) == 1 && path[0] == "verdict" {
		s.serveVerdict(w, r, endpoint+"/"+id)
		return
	}
	e, ok := s.find(endpoint + "/" + id)
	if !ok || e.made.Below == nil {
		s.notFound(w, r)
		return
	}
	if (r.Method == http.MethodPost || r.Method == http.MethodDelete) && !s.owns(w, r, e) {
		return
	}
	e.made.Below(w, r, path)
}

func (s *Resources) get(w http.ResponseWriter, r *http.Request, url string) {
	e, ok := s.find(url)
	if !ok {
		s.notFound(w, r)
		return
	}
	w.Header().Set("ETag", s.etag(e, e.made.Session.Generation()))
	w.WriteHeader(http.StatusNoContent)
}

// delete ends a session, whatever If-Match says. One that ended by itself a moment ago answers likewise: OBS closes
// its connection before it sends the DELETE (A8).
func (s *Resources) delete(w http.ResponseWriter, r *http.Request, url string) {
	if !allow(w, s.deletions, r) {
		return
	}
	e, ok := s.find(url)
	switch {
	case ok && !s.owns(w, r, e):
	case ok:
		e.made.Session.Close()
		w.WriteHeader(http.StatusOK)
	case s.isOver(url):
		w.WriteHeader(http.StatusOK)
	default:
		s.notFound(w, r)
	}
}

// owns reports whether a request comes from whoever made the session, or from somebody who has not said who he is: then
// the session's URL, which nobody can guess, stands for the right (A92). Else it has been answered.
func (s *Resources) owns(w http.ResponseWriter, r *http.Request, e *entry) bool {
	caller, owner := s.caller(r), e.made.Owner
	if caller == nil || owner == nil || owner.Anonymous || caller.Name == owner.Name {
		return true
	}
	problem.Write(w, problem.New(http.StatusForbidden, "not_yours", "The session belongs to somebody else."))
	return false
}

// notFound answers the same to a session that never was, one that is over, and one of another endpoint (A9).
func (s *Resources) notFound(w http.ResponseWriter, r *http.Request) {
	if allow(w, s.guesses, r) {
		problem.Write(w, problem.New(http.StatusNotFound, "session_not_found", "There is no such session; it may have ended."))
	}
}
