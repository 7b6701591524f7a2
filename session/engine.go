package session

import (
	"context"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
)

// Link is a connection to a peer, as far as publishers' and viewers' are alike. See peer.Connection.
type Link interface {
	Negotiator
	Connected() <-chan struct{}
	Done() <-chan struct{}
	Err() error
	RemoteAddress() string
	Close()
}

// Negotiator is the part of a connection that is agreed on with its peer.
type Negotiator interface {
	Description() string
	Accept(answer string, servers []peer.ICEServer) error
	AddCandidates(values []string)
	Restart(f *negotiation.Fragment) (*negotiation.Fragment, error)
}

// Sender is a connection to a viewer. *peer.Connection is one.
type Sender interface {
	Link
	Send(u *hub.Unit) error
	Stats() peer.Stats
}

// Receiver is a connection to a publisher. *peer.Reception is one.
type Receiver interface {
	Link
	Run(ctx context.Context, s peer.Sink) error
	RequestKeyframe(rid string)
	Stats() peer.ReceptionStats
}

// Engine makes connections.
type Engine interface {
	Play(offer *negotiation.Offer, plan *negotiation.Plan, o peer.PlayOptions) (Sender, error)
	OfferPlay(tracks []media.Track, o peer.PlayOptions) (Sender, error)
	Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (Receiver, error)
}

// On is the engine of real connections.
func On(e *peer.Engine) Engine { return peerEngine{e} }

type peerEngine struct{ engine *peer.Engine }

func (e peerEngine) Play(offer *negotiation.Offer, plan *negotiation.Plan, o peer.PlayOptions) (Sender, error) {
	c, err := e.engine.Play(offer, plan, o)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (e peerEngine) OfferPlay(tracks []media.Track, o peer.PlayOptions) (Sender, error) {
	c, err := e.engine.OfferPlay(tracks, o)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (e peerEngine) Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (Receiver, error) {
	r, err := e.engine.Receive(offer, plan, o)
	if err != nil {
		return nil, err
	}
	return r, nil
}
