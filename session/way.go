package session

import (
	"errors"

	"sluice/fanout"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/rtpout"
)

// Way is how a viewer's packets go out.
type Way string

// The ways.
const (
	WayFast Way = "fast" // by fanout
	WaySlow Way = "slow" // by a PeerConnection of its own
)

// Route is the way that a viewer goes, and why it is not the fast one.
type Route struct {
	Way    Way
	Reason string // of WaySlow: one of the Slow constants, here or in fanout; "" of WayFast
}

// Why a viewer goes the slow way, whatever it offers.
const (
	SlowConfigured   = "configured"    // the fast way is switched off
	SlowCounterOffer = "counter_offer" // we have offered
)

// Fast is the fast way to viewers.
type Fast interface {
	// SlowReason says why it can't serve an offer; "": it can.
	SlowReason(offer *negotiation.Offer) string
	Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (Sender, error)
}

// OnFanout is the fast way.
func OnFanout(f *fanout.Fanout) Fast { return fanoutWay{f} }

type fanoutWay struct{ fanout *fanout.Fanout }

func (w fanoutWay) SlowReason(offer *negotiation.Offer) string { return fanout.SlowReason(offer) }

func (w fanoutWay) Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (Sender, error) {
	s, err := w.fanout.Play(offer, plan, o)
	if err != nil {
		return nil, err
	}
	return answering{s}, nil
}

// answering is a connection that has answered an offer: it waits for no answer.
type answering struct{ *fanout.Session }

// Accept implements Negotiator.
func (answering) Accept(string, []peer.ICEServer) error { return peer.ErrNotOffered }

// noFast is a fast way that serves nobody.
type noFast struct{}

func (noFast) SlowReason(*negotiation.Offer) string { return SlowConfigured }

var errNoFast = errors.New("the fast way is switched off")

func (noFast) Play(*negotiation.Offer, *negotiation.Plan, rtpout.PlayOptions) (Sender, error) {
	return nil, errNoFast
}
