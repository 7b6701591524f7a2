package session

import (
	"context"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/rtpout"
	"sluice/transport"
)

// Link is a connection to a peer, as far as publishers' and viewers' are alike. See peer.Connection.
type Link interface {
	Negotiator
	Connected() <-chan struct{}
	Done() <-chan struct{}
	Err() error
	RemoteAddress() string
	Evidence() transport.Evidence
	Close()
}

// Negotiator is the part of a connection that is agreed on with its peer.
type Negotiator interface {
	Description() string
	Accept(answer string, servers []peer.ICEServer) error
	AddCandidates(values []string)
	Restart(f *negotiation.Fragment) (*negotiation.Fragment, error)
}

// Sender is a connection to a viewer. *fanout.Session and *peer.Connection are some.
type Sender interface {
	Link
	// Start begins to send, once it is connected. The subscriber is for whoever looks after the feed; the sender
	// closes it. An error of the feed is Err.
	Start(f rtpout.Feed) (*hub.Subscriber, error)
	Stats() rtpout.Stats
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
	Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (Sender, Route, error)
	OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (Sender, error)
	Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (Receiver, error)
}

// On is the engine of real connections: viewers go the fast way wherever it can serve them, all others on
// PeerConnections. fast is nil where that has been switched off.
func On(e *peer.Engine, fast Fast) Engine {
	if fast == nil {
		fast = noFast{}
	}
	return engine{slow: e, fast: fast}
}

type engine struct {
	slow *peer.Engine
	fast Fast
}

func (e engine) Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (Sender, Route, error) {
	why := e.fast.SlowReason(offer)
	if why == "" {
		s, err := e.fast.Play(offer, plan, o)
		return s, Route{Way: WayFast}, err
	}
	c, err := e.slow.Play(offer, plan, o)
	if err != nil {
		return nil, Route{}, err
	}
	return c, Route{Way: WaySlow, Reason: why}, nil
}

func (e engine) OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (Sender, error) {
	c, err := e.slow.OfferPlay(tracks, o)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (e engine) Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (Receiver, error) {
	r, err := e.slow.Receive(offer, plan, o)
	if err != nil {
		return nil, err
	}
	return r, nil
}
