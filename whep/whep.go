// Package whep is the endpoint where viewers ask for a stream over HTTP.
//
// Specification: draft-ietf-wish-whep.
package whep

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"sluice/session"
	"sluice/signalling/resource"
)

// Sessions makes viewers' sessions. *session.Manager is one.
type Sessions interface {
	Play(ctx context.Context, r session.PlayRequest) (*session.Session, string, error)
}

// Endpoint serves /{stream}/whep and the sessions below it.
type Endpoint struct {
	sessions  Sessions
	resources *resource.Resources
}

// New makes the endpoint.
func New(s Sessions, r *resource.Resources) *Endpoint { return &Endpoint{sessions: s, resources: r} }

// ServeEndpoint answers a request to /{stream}/whep.
func (e *Endpoint) ServeEndpoint(w http.ResponseWriter, r *http.Request, stream string) {
	create := func(ctx context.Context, r *http.Request, offer string) (*session.Session, string, error) {
		return e.sessions.Play(ctx, session.PlayRequest{
			Stream: stream, Offer: offer, Protocol: "whep",
			RemoteAddress: r.RemoteAddr, Loopback: isLoopback(r.RemoteAddr),
			Patient: strings.HasPrefix(r.Header.Get("Prefer"), "wait="), // RFC 7240 4.3; how long is for us to say
		})
	}
	e.resources.ServeEndpoint(w, r, path(stream), head, create)
}

func path(stream string) string { return "/" + stream + "/whep" }

// ServeSession answers a request to /{stream}/whep/{id}.
func (e *Endpoint) ServeSession(w http.ResponseWriter, r *http.Request, stream, id string) {
	e.resources.ServeSession(w, r, path(stream), id)
}

// head says that offers are taken here (whep 4.2).
func head(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/sdp")
	w.WriteHeader(http.StatusOK)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
