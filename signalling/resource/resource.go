// Package resource is a session as an HTTP resource: what WHIP and WHEP have in common. An endpoint takes an offer
// by POST and answers 201 with the session's Location; the session is trickled and restarted by PATCH and ends by
// DELETE.
//
// Specification: RFC 9725, draft-ietf-wish-whep.
package resource

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sluice/auth"
	"sluice/session"
	"sluice/signalling/problem"
)

const (
	sdpType       = "application/sdp"
	createTimeout = 5 * time.Second // to answer an offer: OBS waits 8 s (A13)
	tombstone     = time.Minute     // how long a session that is over still answers DELETE with 200 (A8)
)

// Session is what a resource needs of a session. Errors are *session.Refusal. *session.Session is one.
type Session interface {
	ID() string
	// OnDone has f called when the session is over, at once if it is over already.
	OnDone(f func())
	Close()
	// Generation counts the ICE generations, from 1.
	Generation() session.Generation
	// Patch takes a trickled fragment and returns "", or restarts ICE and returns the fragment of our side.
	Patch(fragment string, g session.Generation) (answer string, err error)
	// Answer takes the answer to a counter-offer.
	Answer(sdp string) error
	// Verdict says how the connection does, or what became of it: also after the session is over.
	Verdict() session.Verdict
}

// Made is what came of a POST.
type Made struct {
	Session Session
	SDP     string // the answer; a counter-offer if Until is set

	// Until is how long an answer to the counter-offer is taken. Zero: there is none.
	Until time.Time
	// Owner is who made it; nil where nobody is told from anybody else.
	Owner *auth.Principal
	// Links are those of protocol extensions, each a value of the header field.
	Links []string
	// Below answers requests to the URLs below the session's, whose remaining segments path holds. nil: there are
	// none.
	Below func(w http.ResponseWriter, r *http.Request, path []string)
}

// Create makes a session from an offer, which is "" for an empty body. Its errors are *session.Refusal.
type Create func(ctx context.Context, r *http.Request, offer string) (Made, error)

// Endpoint is where offers are posted to.
type Endpoint struct {
	Path   string           // of its URL; sessions are below it
	Head   http.HandlerFunc // answers HEAD: WHIP says 204, WHEP 200 with the type
	Empty  bool             // an empty body is no mistake: it asks for a counter-offer (B6)
	Create Create
}

// Options is how resources are served.
type Options struct {
	Log *slog.Logger
	// ICEServers are those for a session of that ID, told to its peer alone; "" is one that is still to be made. nil:
	// there are none.
	ICEServers func(r *http.Request, id string) []ICEServer
	// Caller is who a request was let in as; nil: nobody has asked. Options.Caller nil: nobody is told from anybody else.
	Caller func(r *http.Request) *auth.Principal
	// MaxSDP bounds an offer, in bytes. 0: no limit but the one of all bodies, 1 MiB.
	MaxSDP int
	// PostsPerSecond is how many offers one address may post, on average; a burst may be twice that. 0: no limit.
	PostsPerSecond int
}

// Resources are the sessions made over HTTP, by URL. All methods may be called from any goroutine.
type Resources struct {
	log     *slog.Logger                                 // fixed
	servers func(r *http.Request, id string) []ICEServer // fixed
	caller  func(r *http.Request) *auth.Principal        // fixed
	maxSDP  atomic.Int64                                 // bytes
	secret  [32]byte                                     // fixed; ETags come of it

	posts     *limiter      // of offers
	guesses   *limiter      // of requests to sessions that don't exist (J9)
	deletions *limiter      // of sessions (I30)
	bodies    atomic.Uint64 // that were too large

	mu     sync.Mutex
	live   map[key]*entry // guarded by mu
	over   map[key]grave  // guarded by mu
	graves []key          // guarded by mu; those of over, the oldest first
}

// New makes an empty set.
func New(o Options) *Resources {
	if o.ICEServers == nil {
		o.ICEServers = func(*http.Request, string) []ICEServer { return nil }
	}
	if o.Caller == nil {
		o.Caller = func(*http.Request) *auth.Principal { return nil }
	}
	s := &Resources{
		log: o.Log, servers: o.ICEServers, caller: o.Caller,
		posts: newLimiter(0, 0), guesses: newLimiter(10, 40), deletions: newLimiter(10, 40),
		live: make(map[key]*entry), over: make(map[key]grave),
	}
	_, _ = rand.Read(s.secret[:]) // never fails
	s.Limit(o.MaxSDP, o.PostsPerSecond)
	return s
}

// Limit has other limits hold from now on: those of Options.
func (s *Resources) Limit(maxSDP, postsPerSecond int) {
	if maxSDP == 0 {
		maxSDP = maxBody
	}
	s.maxSDP.Store(int64(maxSDP))
	s.posts.set(postsPerSecond, 2*postsPerSecond)
}

// Caller is who a request was let in as; nil where nobody is told from anybody else.
func (s *Resources) Caller(r *http.Request) *auth.Principal { return s.caller(r) }

// Limited is how many requests were refused for want of measure.
type Limited struct {
	Posts     uint64 // offers that came too fast
	Guesses   uint64 // requests to sessions that don't exist, likewise
	Deletions uint64 // of sessions, likewise
	Bodies    uint64 // offers, answers and fragments that were too large
}

// Limited tells them since New.
func (s *Resources) Limited() Limited {
	return Limited{
		Posts: s.posts.refused.Load(), Guesses: s.guesses.refused.Load(), Deletions: s.deletions.refused.Load(),
		Bodies: s.bodies.Load(),
	}
}

// Client is the address that a request comes from; invalid if it is none.
func Client(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

const (
	endpointMethods = "OPTIONS, GET, HEAD, POST"
	sessionMethods  = "OPTIONS, GET, HEAD, PATCH, DELETE"
)

// ServeEndpoint answers a request to the URL that offers are posted to.
func (s *Resources) ServeEndpoint(w http.ResponseWriter, r *http.Request, e Endpoint) {
	w.Header().Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodPost:
		s.post(w, r, e)
	case http.MethodOptions:
		s.options(w, r)
	case http.MethodHead:
		e.Head(w, r)
	case http.MethodGet:
		w.WriteHeader(http.StatusNoContent)
	default:
		problem.MethodNotAllowed(w, endpointMethods)
	}
}

// options also tells of the ICE servers (A94), and of PATCH, by which clients know that they may trickle (D41).
func (s *Resources) options(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", endpointMethods)
	h.Set("Accept-Post", sdpType)
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h["Link"] = iceLinks(s.servers(r, ""))
	w.WriteHeader(http.StatusOK)
}

func (s *Resources) post(w http.ResponseWriter, r *http.Request, e Endpoint) {
	if !allow(w, s.posts, r) {
		return
	}
	offer, ok := s.readOffer(w, r, e)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), createTimeout)
	defer cancel()
	made, err := e.Create(ctx, r, offer)
	if err != nil {
		s.Refuse(w, r, err)
		return
	}
	made.Owner = s.caller(r)
	s.answer(w, r, e.Path+"/"+made.Session.ID(), made)
}

func (s *Resources) readOffer(w http.ResponseWriter, r *http.Request, e Endpoint) (string, bool) {
	if e.Empty && r.ContentLength == 0 {
		return "", true
	}
	_, body, ok := ReadBody(w, r, Accepted{Limit: int(s.maxSDP.Load()), Types: []string{sdpType}, TooLarge: &s.bodies})
	return body, ok
}

// answer tells of a new session: 201, or 406 with a counter-offer. Links of extensions come last (A24).
func (s *Resources) answer(w http.ResponseWriter, r *http.Request, url string, made Made) {
	e := s.add(url, made)
	h := w.Header()
	h.Set("Location", url)
	h.Set("ETag", s.etag(e, made.Session.Generation()))
	h.Set("Accept-Patch", fragmentType)
	h["Link"] = append(iceLinks(s.servers(r, made.Session.ID())), made.Links...)
	if made.Until.IsZero() {
		h.Set("Content-Type", sdpType)
		w.WriteHeader(http.StatusCreated)
	} else {
		h.Set("Content-Type", sdpType+`; valid-until="`+made.Until.UTC().Format(http.TimeFormat)+`"`)
		w.WriteHeader(http.StatusNotAcceptable)
	}
	_, _ = io.WriteString(w, made.SDP) // if the client has gone, the session ends by its ICE timeout
}
