// Package whip is the endpoint where somebody publishes a stream to us over HTTP.
//
// Specification: RFC 9725.
package whip

import (
	"context"
	"net/http"
	"net/url"

	"sluice/media"
	"sluice/negotiation"
	"sluice/session"
	"sluice/signalling/resource"
)

// Sessions makes publishers' sessions. *session.Manager is one.
type Sessions interface {
	Publish(ctx context.Context, r session.PublishRequest) (s *session.Session, answer string, err error)
}

// Endpoint serves /{stream}/whip and the sessions below it.
type Endpoint struct {
	publish   maker               // fixed
	resources *resource.Resources // fixed
}

// maker makes a publisher's session from its offer.
type maker func(ctx context.Context, r session.PublishRequest) (s resource.Session, answer string, err error)

// New makes the endpoint.
func New(s Sessions, r *resource.Resources) *Endpoint {
	publish := func(ctx context.Context, r session.PublishRequest) (resource.Session, string, error) {
		return s.Publish(ctx, r)
	}
	return &Endpoint{publish: publish, resources: r}
}

// ServeEndpoint answers a request to /{stream}/whip.
func (e *Endpoint) ServeEndpoint(w http.ResponseWriter, r *http.Request, stream string) {
	e.resources.ServeEndpoint(w, r, resource.Endpoint{Path: path(stream), Head: head, Create: e.creator(stream)})
}

// ServeSession answers a request to /{stream}/whip/{id}.
func (e *Endpoint) ServeSession(w http.ResponseWriter, r *http.Request, stream, id string) {
	e.resources.ServeSession(w, r, path(stream), id)
}

// ServeBelow answers a request to a URL below /{stream}/whip/{id}; below holds the segments after the ID.
func (e *Endpoint) ServeBelow(w http.ResponseWriter, r *http.Request, stream, id string, below []string) {
	e.resources.ServeBelow(w, r, path(stream), id, below)
}

func path(stream string) string { return "/" + stream + "/whip" }

// head has no type to tell of: RFC 9725 4.1 wants an answer without content (A4).
func head(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func (e *Endpoint) creator(stream string) resource.Create {
	return func(ctx context.Context, r *http.Request, offer string) (resource.Made, error) {
		s, answer, err := e.publish(ctx, session.PublishRequest{
			Stream: stream, Offer: offer, Protocol: "whip",
			RemoteAddress: r.RemoteAddr, Principal: e.resources.Caller(r), Loopback: resource.Client(r).IsLoopback(), Wish: wishOf(r.URL.Query()),
		})
		return resource.Made{Session: s, SDP: answer}, err
	}
}

// wishOf reads which codecs are preferred (?video=h264&audio=opus). What is not known is no wish.
func wishOf(query url.Values) negotiation.Wish {
	return negotiation.Wish{
		Video: oneOf(query.Get("video"), media.H264, media.H265, media.VP8, media.VP9, media.AV1),
		Audio: oneOf(query.Get("audio"), media.Opus, media.PCMU, media.PCMA, media.G722),
	}
}

func oneOf(name string, codecs ...media.Codec) media.Codec {
	for _, c := range codecs {
		if media.Codec(name) == c {
			return c
		}
	}
	return ""
}
