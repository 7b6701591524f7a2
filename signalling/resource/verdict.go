package resource

import (
	"encoding/json"
	"net/http"

	"sluice/session"
	"sluice/signalling/problem"
)

const verdictMethods = "OPTIONS, GET, HEAD"

// serveVerdict tells the peer why its session does not connect or play. Who knows the URL may ask, so it is told nothing
// that advises the operator.
func (s *Resources) serveVerdict(w http.ResponseWriter, r *http.Request, url string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		w.Header().Set("Allow", verdictMethods)
		w.WriteHeader(http.StatusOK)
		return
	default:
		problem.MethodNotAllowed(w, verdictMethods)
		return
	}
	v, ok := s.verdict(url)
	if !ok {
		s.notFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the peer may have gone: nobody is left to tell
}

func (s *Resources) verdict(url string) (session.PeerVerdict, bool) {
	if e, ok := s.find(url); ok {
		v := e.made.Session.Verdict()
		return v.ForPeer(), true
	}
	g, ok := s.buried(url)
	return g.verdict, ok
}
