package session

import (
	"context"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

// sourceWait is how long a request waits for a source that is being started (B10).
const sourceWait = 4 * time.Second

// choose decides on what the stream's source sends, or, for a waiting viewer, may send. offer is the viewer's; nil:
// we offer what there is.
func (m *Manager) choose(ctx context.Context, r PlayRequest, stay *stay, offer *negotiation.Offer) (serving, error) {
	all := playableOf(stay.stream.Renditions())
	if len(all) == 0 && r.Wait {
		s, err := m.decide(stay, expected(stay.stream), offer, r.wish())
		if err != nil {
			return serving{}, err
		}
		s.layer.Name, s.rendition = media.MainRendition, s.plan.Derived(media.MainRendition).String()
		return s, nil
	}
	if len(all) == 0 {
		var err error
		if all, err = m.awaitSource(ctx, stay, r.Patient); err != nil {
			return serving{}, err
		}
	}
	return m.decide(stay, all, offer, r.wish())
}

// decide takes the rendition that fits the viewer's wish best of those that its offer allows.
func (m *Manager) decide(stay *stay, all []hub.Rendition, offer *negotiation.Offer, wish LayerChoice) (serving, error) {
	policy := m.policy(stay)
	servings, err := stay.serve(stay.bases(all, ""), func(b basis) (*negotiation.Plan, *negotiation.Offer, error) {
		o := offer
		if o == nil {
			o = offerOf(b.Tracks)
		}
		plan, err := negotiation.Decide(b.Tracks, o, policy, b.capacity)
		return plan, o, err
	})
	if err != nil {
		return serving{}, err
	}
	chosen, _ := named(servings, wish.pick(layersOf(servings), ""))
	return chosen, nil
}

// policy is the operator's, with what the stream has of its own.
func (m *Manager) policy(s *stay) negotiation.Policy {
	p := m.options().Policy
	p.Transcode = s.terms.Transcode
	return p
}

// awaitSource waits for the source of a stream that is idle or on its way. One that has failed, and a publisher who is
// not there, is waited for by the patient only.
func (m *Manager) awaitSource(ctx context.Context, stay *stay, patient bool) ([]hub.Rendition, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceWait)
	defer cancel()
	s := stay.stream
	for {
		changed := s.Changed()
		if all := playableOf(s.Renditions()); len(all) > 0 {
			return all, nil
		}
		offline := m.offline(stay, patient)
		if (offline.State == hub.StateFailed || offline.Unpublished) && !patient {
			return nil, offline
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, offline
		case <-m.stopped:
			return nil, errShutdown()
		case <-stay.terms.Past:
			return nil, errAltered(s.Name())
		}
	}
}

// offline says how the source of a stream does that has nothing to send now.
func (m *Manager) offline(stay *stay, waited bool) *SourceOfflineError {
	e := &SourceOfflineError{Stream: stay.stream.Name(), Waited: waited}
	e.State, e.Why = stay.stream.State()
	if stay.terms.Publish && e.State == hub.StateIdle {
		e.State = hub.StateConnecting
		e.Unpublished = !m.desk.taken(e.Stream)
	}
	return e
}

// playableOf picks the renditions of which enough is known to choose among the payloads of an offer.
func playableOf(all []hub.Rendition) []hub.Rendition {
	var known []hub.Rendition
	for _, r := range all {
		if playable(r.Tracks) {
			known = append(known, r)
		}
	}
	return known
}

func playable(tracks []media.Track) bool {
	for _, t := range tracks {
		if t.Kind == media.Video && t.Skipped == "" {
			return t.Codec != media.H264 || t.Profile.Known
		}
	}
	return len(tracks) > 0
}

// expected is what a stream without a source may send when it has one: what it sent last, or what most send.
func expected(s *hub.Stream) []hub.Rendition {
	if last := s.LastTracks(); playable(last) {
		return []hub.Rendition{{Name: media.MainRendition, Tracks: last}}
	}
	sound := media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
	h264 := media.Track{
		ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Profile: media.VideoProfile{ProfileLevelID: [3]byte{0x42, 0xE0, 0x1F}, ChromaFormat: 1, Known: true},
	}
	vp8 := media.Track{ID: "video", Kind: media.Video, Codec: media.VP8, ClockRate: 90000}
	return []hub.Rendition{
		{Name: "h264", Tracks: []media.Track{h264, sound}},
		{Name: "vp8", Tracks: []media.Track{vp8, sound}},
	}
}
