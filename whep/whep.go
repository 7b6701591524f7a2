// Package whep is the endpoint where viewers ask for a stream over HTTP, with the extensions by which they hear of
// it while they watch (server-sent events), choose a layer of it, and report that they can't decode it.
//
// Specification: draft-ietf-wish-whep, and its text on extensions.
package whep

import (
	"context"
	"net/http"
	"time"

	"sluice/session"
	"sluice/signalling/resource"
)

// Sessions makes viewers' sessions. *session.Manager is one.
type Sessions interface {
	// Play answers the request's offer.
	Play(ctx context.Context, r session.PlayRequest) (s *session.Session, answer string, err error)
	// Offer makes an offer to the viewer, whose own is not looked at.
	Offer(ctx context.Context, r session.PlayRequest) (s *session.Session, offer string, err error)
}

// Endpoint serves /{stream}/whep and the sessions below it.
type Endpoint struct {
	play, offer maker               // fixed
	resources   *resource.Resources // fixed
}

// maker makes a viewer's session, and says what to tell the viewer of it.
type maker func(ctx context.Context, r session.PlayRequest) (playing, string, error)

// New makes the endpoint.
func New(s Sessions, r *resource.Resources) *Endpoint {
	return &Endpoint{play: makerOf(s.Play), offer: makerOf(s.Offer), resources: r}
}

// ServeEndpoint answers a request to /{stream}/whep.
func (e *Endpoint) ServeEndpoint(w http.ResponseWriter, r *http.Request, stream string) {
	e.resources.ServeEndpoint(w, r, resource.Endpoint{Path: path(stream), Head: head, Empty: true, Create: e.creator(stream)})
}

// ServeSession answers a request to /{stream}/whep/{id}.
func (e *Endpoint) ServeSession(w http.ResponseWriter, r *http.Request, stream, id string) {
	e.resources.ServeSession(w, r, path(stream), id)
}

// ServeExtension answers a request to a URL below /{stream}/whep/{id}; below holds the segments after the ID.
func (e *Endpoint) ServeExtension(w http.ResponseWriter, r *http.Request, stream, id string, below []string) {
	e.resources.ServeBelow(w, r, path(stream), id, below)
}

func path(stream string) string { return "/" + stream + "/whep" }

// head says that offers are taken here (draft-ietf-wish-whep 4.2).
func head(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/sdp")
	w.WriteHeader(http.StatusOK)
}

// creator answers an offer, or makes one to a viewer that asks for it (B6). Older drafts asked by an empty body.
func (e *Endpoint) creator(stream string) resource.Create {
	return func(ctx context.Context, r *http.Request, offer string) (resource.Made, error) {
		request := requestOf(r, e.resources.Caller(r), stream, offer)
		makeIt, until := e.play, time.Time{}
		if offer == "" || r.URL.Query().Get("offer") == "server" {
			makeIt, until = e.offer, time.Now().Add(session.OfferLife)
		}
		s, sdp, err := makeIt(ctx, request)
		if err != nil {
			return resource.Made{}, err
		}
		v := newViewer(s, e.resources, path(stream)+"/"+s.ID(), sdp)
		return resource.Made{Session: s, SDP: sdp, Until: until, Links: v.links(), Below: v.serve}, nil
	}
}
