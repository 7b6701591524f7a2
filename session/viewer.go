package session

import (
	"context"
	"slices"
	"sync"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

// viewer is the part of a session that watches.
type viewer struct {
	session   *Session           // fixed once it runs
	sender    Sender             // likewise
	route     Route              // likewise
	offer     *negotiation.Offer // likewise
	plan      *negotiation.Plan  // likewise
	automatic LayerChoice        // likewise: what the request wished for
	poke      chan struct{}      // capacity 1; sent to by all who want the watch to look again, never closed

	mu         sync.Mutex
	subscriber *hub.Subscriber // guarded by mu; closed by the sender, nil before it is connected
	asked      string          // guarded by mu; the rendition that the subscriber was asked for
	chosen     string          // guarded by mu; the rendition that it should be asked for
	wish       LayerChoice     // guarded by mu
	layers     []Layer         // guarded by mu; as the watch saw them last
}

func (v *viewer) role() Role { return RolePlay }

func (v *viewer) describe(i *Info) {
	i.Choices, i.Stats, i.Route = v.plan.Sections, v.sender.Stats(), v.route
	v.mu.Lock()
	sub := v.subscriber
	v.mu.Unlock()
	if sub != nil {
		i.Dropped = sub.Dropped()
	}
}

func (v *viewer) live(context.Context) error { return newWatch(v).run() }

func (v *viewer) fitness() fitness {
	return fitness{offer: v.offer, plan: v.plan, policy: v.session.manager.options.Policy}
}

func (v *viewer) lookAgain() {
	select {
	case v.poke <- struct{}{}:
	default:
	}
}

// Layers lists what a viewer can choose from, best first; nil for a publisher.
func (s *Session) Layers() []Layer {
	if s.viewer == nil {
		return nil
	}
	s.viewer.mu.Lock()
	layers := slices.Clone(s.viewer.layers)
	s.viewer.mu.Unlock()
	for _, r := range s.stay.stream.Renditions() {
		for i := range layers {
			if layers[i].RID == r.Name {
				layers[i].Bitrate = r.Bitrate // changes all the time
			}
		}
	}
	return layers
}

// SelectLayer says which layer a viewer wants from now on. The zero choice is what its request wished for. Every
// error is a *Refusal: ReasonMalformedLayer, ReasonLayer if the stream has no such layer now, or ReasonGone.
func (s *Session) SelectLayer(c LayerChoice) error {
	switch {
	case s.hasEnded():
		return errGone()
	case c.MaxWidth < 0 || c.MaxHeight < 0 || c.MaxBitrate < 0:
		return refuse(ReasonMalformedLayer, "the largest width, height and bit rate of a layer must be positive")
	case s.viewer == nil:
		return refuse(ReasonLayer, "the session is a publisher's, which is sent no layers")
	case c.RID != "" && !s.viewer.offers(c.RID):
		return refuse(ReasonLayer, "stream %q has no layer %.40q now", s.Stream(), c.RID)
	}
	v := s.viewer
	v.mu.Lock()
	v.wish = c
	if c == (LayerChoice{}) {
		v.wish = v.automatic
	}
	v.mu.Unlock()
	v.lookAgain()
	return nil
}

// offers looks at the stream itself: the watch may not have seen its newest layer.
func (v *viewer) offers(rid string) bool {
	return slices.ContainsFunc(v.session.stay.stream.Renditions(), func(r hub.Rendition) bool {
		_, ok := media.First(r.Tracks, media.Video)
		return ok && r.Name == rid
	})
}
