// Package resource is a session as an HTTP resource: what WHIP and WHEP have in common. An endpoint takes an offer
// by POST and answers 201 with the session's Location; the session ends by DELETE.
//
// Specification: RFC 9725, draft-ietf-wish-whep.
package resource

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"sync"
	"time"

	"sluice/session"
	"sluice/signalling/problem"
)

const (
	sdpType      = "application/sdp"
	maxOffer     = 64 << 10         // bytes (A30)
	offerTimeout = 10 * time.Second // to read the body of a POST (J5)
	tombstone    = time.Minute      // how long a session that is over still answers DELETE with 200 (A8)
)

// Create makes a session from an offer. Its errors are *session.Refusal.
type Create func(ctx context.Context, r *http.Request, offer string) (s *session.Session, answer string, err error)

// Resources are the sessions made over HTTP, by ID. All methods may be called from any goroutine.
type Resources struct {
	log *slog.Logger // fixed

	mu   sync.Mutex
	live map[string]entry     // guarded by mu
	over map[string]tombEntry // guarded by mu
}

type entry struct {
	session *session.Session
	path    string // of the endpoint
	etag    string
}

type tombEntry struct {
	path  string
	until time.Time
}

// New makes an empty set.
func New(log *slog.Logger) *Resources {
	return &Resources{log: log, live: make(map[string]entry), over: make(map[string]tombEntry)}
}

// ServeEndpoint answers a request to the URL that offers are posted to; path is that URL's path. head is the answer to HEAD: WHIP says 204,
// WHEP 200 with the type.
func (s *Resources) ServeEndpoint(w http.ResponseWriter, r *http.Request, path string, head http.HandlerFunc, create Create) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodPost:
		s.post(w, r, path, create)
	case http.MethodOptions:
		w.Header().Set("Accept-Post", sdpType)
		w.Header().Set("Allow", endpointMethods)
		w.WriteHeader(http.StatusOK)
	case http.MethodHead:
		head(w, r)
	case http.MethodGet:
		w.WriteHeader(http.StatusNoContent)
	default:
		problem.MethodNotAllowed(w, endpointMethods)
	}
}

const (
	endpointMethods = "OPTIONS, GET, HEAD, POST"
	sessionMethods  = "OPTIONS, GET, HEAD, DELETE"
)

func (s *Resources) post(w http.ResponseWriter, r *http.Request, path string, create Create) {
	offer, p := readOffer(w, r)
	if p != nil {
		problem.Write(w, *p)
		return
	}
	made, answer, err := create(r.Context(), r, offer)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	e := s.add(path, made)
	h := w.Header()
	h.Set("Content-Type", sdpType)
	h.Set("Location", e.path+"/"+made.ID())
	h.Set("ETag", e.etag)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // if the client has gone, the session ends by its ICE timeout
}

// readOffer reads the body of a POST within its limits of type, size and time.
func readOffer(w http.ResponseWriter, r *http.Request) (string, *problem.Problem) {
	if p := checkType(r); p != nil {
		return "", p
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(offerTimeout)) // not supported in tests only
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOffer))
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return string(body), nil
	case errors.As(err, &tooLarge):
		w.Header().Set("Connection", "close")
		return "", pointer(problem.New(http.StatusRequestEntityTooLarge, "sdp_too_large", "An offer may have 64 KiB."))
	case isTimeout(err):
		w.Header().Set("Connection", "close")
		return "", pointer(problem.New(http.StatusRequestTimeout, "timeout", "The offer did not arrive within 10 seconds."))
	default:
		return "", pointer(problem.New(http.StatusBadRequest, "body", "The offer did not arrive whole."))
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func pointer(p problem.Problem) *problem.Problem { return &p }

// checkType looks at the headers that say what the body is (A2, J3, J7).
func checkType(r *http.Request) *problem.Problem {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || t != sdpType || r.Header.Get("Content-Encoding") != "" {
		return pointer(problem.New(http.StatusUnsupportedMediaType, "content_type",
			"The body must be an SDP offer, not encoded, with the header Content-Type: application/sdp."))
	}
	return nil
}

// ServeSession answers a request to a session's URL. endpoint is the path that the offer was posted to.
func (s *Resources) ServeSession(w http.ResponseWriter, r *http.Request, endpoint, id string) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Allow", sessionMethods)
		w.WriteHeader(http.StatusOK)
	case http.MethodGet, http.MethodHead:
		s.get(w, endpoint, id)
	case http.MethodDelete:
		s.delete(w, endpoint, id)
	default:
		problem.MethodNotAllowed(w, sessionMethods)
	}
}

func (s *Resources) get(w http.ResponseWriter, endpoint, id string) {
	e, ok := s.find(endpoint, id)
	if !ok {
		notFound(w)
		return
	}
	w.Header().Set("ETag", e.etag)
	w.WriteHeader(http.StatusNoContent)
}

// delete ends a session. One that ended by itself a moment ago answers likewise: OBS closes its connection before
// it sends the DELETE (A8).
func (s *Resources) delete(w http.ResponseWriter, endpoint, id string) {
	if e, ok := s.find(endpoint, id); ok {
		e.session.Close()
		w.WriteHeader(http.StatusOK)
		return
	}
	if s.isOver(endpoint, id) {
		w.WriteHeader(http.StatusOK)
		return
	}
	notFound(w)
}

func notFound(w http.ResponseWriter) {
	problem.Write(w, problem.New(http.StatusNotFound, "session_not_found", "There is no such session; it may have ended."))
}
