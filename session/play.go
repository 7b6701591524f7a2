package session

import (
	"context"
	"time"

	"sluice/auth"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
)

// PlayRequest is a viewer's wish to watch a stream.
type PlayRequest struct {
	Stream        string
	Offer         string          // SDP; not for Manager.Offer
	Protocol      string          // of the signalling: "whep"
	RemoteAddress string          // of the signalling, host:port
	Principal     *auth.Principal // who watches; nil: nobody is told from anybody else
	Loopback      bool            // the viewer is on this machine
	Patient       bool            // waits up to 4 s for a source that is not to be expected as well, and may ask again at once
	Wait          bool            // a waiting viewer: is answered at once, and gets media when there is a source (B10)
	MaxWidth      int             // pixels; 0: any
	MaxBitrate    int             // kbit/s; 0: any
}

func (r *PlayRequest) wish() LayerChoice {
	return LayerChoice{MaxWidth: max(r.MaxWidth, 0), MaxBitrate: max(r.MaxBitrate, 0)}
}

// Play makes a viewer's session and returns it with the SDP answer. It waits up to 4 s for a source that is being
// started. Every error is a *Refusal.
func (m *Manager) Play(ctx context.Context, r PlayRequest) (*Session, string, error) {
	return m.admit(ctx, r, m.answer)
}

// Offer makes a viewer's session that begins with an SDP offer of ours (whep 4.3.2), which it returns. The session
// waits OfferLife for Session.Answer. Every error is a *Refusal.
func (m *Manager) Offer(ctx context.Context, r PlayRequest) (*Session, string, error) {
	return m.admit(ctx, r, m.counterOffer)
}

// admit makes a viewer's session in the way of negotiate, and runs it.
func (m *Manager) admit(ctx context.Context, r PlayRequest, negotiate func(context.Context, PlayRequest, *stay) (*Session, error)) (*Session, string, error) {
	stay, err := m.arrive(r.Stream, r.RemoteAddress, r.Principal)
	if err != nil {
		return nil, "", m.refused(ctx, RolePlay, r.Stream, err)
	}
	stay.holds(stay.stream.Want())
	s, err := negotiate(ctx, r, stay)
	if err == nil {
		if err = m.start(ctx, s); err != nil {
			s.link.Close()
		}
	}
	if err != nil {
		stay.leave()
		return nil, "", m.refused(ctx, RolePlay, r.Stream, err).to(r.Principal)
	}
	return s, s.link.Description(), nil
}

func (m *Manager) answer(ctx context.Context, r PlayRequest, stay *stay) (*Session, error) {
	offer, err := negotiation.ParseOffer(r.Offer, negotiation.RolePlay)
	if err != nil {
		return nil, err
	}
	d, err := m.choose(ctx, r, stay, offer)
	if err != nil {
		return nil, err
	}
	v := newViewer(r, d)
	if v.sender, v.route, err = m.engine.Play(d.offer, d.plan, m.playOptions(r)); err != nil {
		return nil, err
	}
	return v.join(newSession(m, stay, r.Protocol, r.RemoteAddress, offer)), nil
}

func (m *Manager) counterOffer(ctx context.Context, r PlayRequest, stay *stay) (*Session, error) {
	d, err := m.choose(ctx, r, stay, nil)
	if err != nil {
		return nil, err
	}
	var tracks []media.Track
	for _, c := range d.plan.Sections {
		if c.Action.Sends() {
			tracks = append(tracks, c.Track)
		}
	}
	v := newViewer(r, d)
	v.route = Route{Way: WaySlow, Reason: SlowCounterOffer}
	if v.sender, err = m.engine.OfferPlay(tracks, m.playOptions(r)); err != nil {
		return nil, err
	}
	return v.join(newSession(m, stay, r.Protocol, r.RemoteAddress, nil)), nil
}

func (m *Manager) playOptions(r PlayRequest) rtpout.PlayOptions {
	return rtpout.PlayOptions{Loopback: r.Loopback, Total: m.counters(r.Stream)}
}

// newViewer makes the part of a session that sends what was decided. Its sender is still to be set.
func newViewer(r PlayRequest, d serving) *viewer {
	return &viewer{
		offer: d.offer, plan: d.plan, automatic: r.wish(), wish: r.wish(), chosen: d.layer.Name, now: d,
		poke: make(chan struct{}, 1), reports: rate{most: reportsPerMinute, span: time.Minute},
	}
}

// join makes the viewer the part of a session, and has what it is to be sent made from now on.
func (v *viewer) join(s *Session) *Session {
	v.session, s.viewer, s.part, s.link = s, v, v, v.sender
	v.fit = newFitness(v.offer, v.plan, s.manager.policy(s.stay))
	v.want(v.now.rendition)
	s.stay.holds(func() { v.release() })
	return s
}

// Answer takes the answer to a counter-offer, once. Every error is a *Refusal: ReasonMalformedSDP and
// ReasonUnservable, after which another answer may come, ReasonNotPending if there is none to answer, or ReasonGone.
func (s *Session) Answer(sdp string) error {
	t := s.trickle
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.isOver() {
		return errGone()
	}
	if t.offer != nil || t.answer != nil {
		return refuse(ReasonNotPending, "the session waits for no answer")
	}
	parsed, err := negotiation.ParseAnswer(sdp, s.link.Description())
	if err == nil {
		err = s.link.Accept(sdp, nil)
	}
	switch {
	case s.isOver():
		return errGone()
	case err != nil:
		return refusalOf(err)
	}
	t.answered(parsed)
	close(s.accepted)
	return nil
}
