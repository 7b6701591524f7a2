package session

import (
	"context"

	"sluice/auth"
	"sluice/negotiation"
	"sluice/peer"
)

// PublishRequest is a publisher's wish to send a stream.
type PublishRequest struct {
	Stream        string
	Offer         string          // SDP
	Protocol      string          // of the signalling: "whip"
	RemoteAddress string          // of the signalling, host:port
	Principal     *auth.Principal // who publishes; nil is one principal, too: where nobody is told from anybody else
	Loopback      bool            // the publisher is on this machine
	Wish          negotiation.Wish
}

// Publish makes a publisher's session and returns it with the SDP answer. Where the principal publishes already, the
// new session takes over once it is connected. Every error is a *Refusal.
func (m *Manager) Publish(ctx context.Context, r PublishRequest) (*Session, string, error) {
	stay, err := m.arrive(r.Stream, r.RemoteAddress, r.Principal)
	if err != nil {
		return nil, "", m.refused(ctx, RolePublish, r.Stream, err)
	}
	s, err := m.publish(ctx, r, stay)
	if err != nil {
		stay.leave()
		return nil, "", m.refused(ctx, RolePublish, r.Stream, err)
	}
	return s, s.link.Description(), nil
}

func (m *Manager) publish(ctx context.Context, r PublishRequest, stay *stay) (*Session, error) {
	if !stay.terms.Publish {
		return nil, &NotPublishableError{Stream: r.Stream}
	}
	offer, err := negotiation.ParseOffer(r.Offer, negotiation.RolePublish)
	if err != nil {
		return nil, err
	}
	plan, err := negotiation.Accept(offer, r.Wish)
	if err != nil {
		return nil, err
	}
	claim, err := m.desk.enter(r.Stream, r.Principal, stay.terms.OnConflict)
	if err != nil {
		return nil, err
	}
	stay.holds(func() { m.desk.leave(claim) })
	receiver, err := m.engine.Receive(offer, plan, peer.ReceiveOptions{Loopback: r.Loopback})
	if err != nil {
		return nil, err
	}
	s := newSession(m, stay, r.Protocol, r.RemoteAddress, offer)
	s.link, s.part = receiver, &publisher{session: s, receiver: receiver, offer: offer, plan: plan, claim: claim}
	if err := m.start(ctx, s); err != nil {
		receiver.Close()
		return nil, err
	}
	return s, nil
}
