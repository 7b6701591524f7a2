package whep

import (
	"context"
	"fmt"
	"sync"

	"sluice/ingest"
	"sluice/media"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/signalling/client"
	"sluice/signalling/client/call"
)

// negotiated is a session that is about to connect.
type negotiated struct {
	reception *peer.Reception
	call      *call.Call
	tracks    int // that the server says it sends
}

// pull is one session, from the offer to its end.
func (s *Source) pull(ctx context.Context, publish ingest.Publish) error {
	n, err := s.negotiate(ctx)
	if err != nil {
		return err
	}
	defer n.call.End(ctx)
	s.count(n.reception)
	defer s.count(nil)

	return fmt.Errorf("pull from %s: %w", s.Host(), s.record(ctx, n, publish))
}

// record publishes what comes, until that ends.
func (s *Source) record(ctx context.Context, n *negotiated, publish ingest.Publish) error {
	ctx, stop := context.WithCancelCause(ctx)
	r := newRecorder(s, n, publish, stop)
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := n.call.Run(ctx); err != nil {
			stop(err)
		}
	})
	parts.Go(func() { r.passWishes(ctx) })
	err := n.reception.Run(ctx, r)
	stop(err)
	parts.Wait()
	return err
}

// negotiate makes a session of our offer, or of the server's.
func (s *Source) negotiate(ctx context.Context) (*negotiated, error) {
	r, err := s.options.Engine.OfferReceive(peer.ReceiveOptions{Loopback: s.client.Loopback()})
	if err != nil {
		return nil, fmt.Errorf("make an offer: %w", err)
	}
	session, err := s.client.Post(ctx, r.Description())
	if err != nil {
		r.Close()
		return nil, err
	}
	if session.CounterOffer {
		r.Close()
		return s.answer(ctx, session)
	}
	n := &negotiated{reception: r, call: call.New(session, r, s.options.Log)}
	answer, err := negotiation.ParseAnswer(session.SDP, r.Description())
	if err == nil {
		n.tracks = sending(answer.Sections)
		err = n.call.Accept()
	}
	if err != nil {
		n.call.End(ctx)
		return nil, fmt.Errorf("use the answer of %s: %w", s.Host(), err)
	}
	return n, nil
}

// sending is the number of sections in which the other side sends.
func sending(sections []negotiation.Section) int {
	n := 0
	for _, s := range sections {
		sends := s.Direction == negotiation.SendOnly || s.Direction == negotiation.SendRecv
		if s.Enabled && s.Kind != media.Data && sends {
			n++
		}
	}
	return n
}

// answer takes the server's offer.
func (s *Source) answer(ctx context.Context, session *client.Session) (*negotiated, error) {
	r, tracks, err := s.receive(session)
	if err != nil {
		_ = session.Delete(ctx) // it ends by itself as well, if nobody answers
		return nil, fmt.Errorf("use the offer of %s: %w", s.Host(), err)
	}
	n := &negotiated{reception: r, call: call.New(session, r, s.options.Log), tracks: tracks}
	if err := session.Answer(ctx, r.Description()); err != nil {
		n.call.End(ctx)
		return nil, err
	}
	return n, nil
}

func (s *Source) receive(session *client.Session) (*peer.Reception, int, error) {
	offer, err := negotiation.ParseOffer(session.SDP, negotiation.RolePublish)
	if err != nil {
		return nil, 0, err
	}
	plan, err := negotiation.Accept(offer, negotiation.Wish{})
	if err != nil {
		return nil, 0, err
	}
	r, err := s.options.Engine.Receive(offer, plan, peer.ReceiveOptions{
		Loopback: s.client.Loopback(), Outgoing: true, Servers: call.ICEServers(session),
	})
	if err != nil {
		return nil, 0, err
	}
	return r, sending(offer.Sections), nil
}
