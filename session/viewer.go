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
	fit       fitness            // likewise
	automatic LayerChoice        // likewise: what the request wished for
	poke      chan struct{}      // capacity 1; sent to by all who want the watch to look again, never closed

	mu         sync.Mutex
	subscriber *hub.Subscriber // guarded by mu; closed by the sender, nil before it is connected
	asked      string          // guarded by mu; the rendition that the subscriber was asked for
	chosen     string          // guarded by mu; the layer that it should be sent
	now        serving         // guarded by mu; how it is sent that
	wish       LayerChoice     // guarded by mu
	servings   []serving       // guarded by mu; as the watch saw them last
	reported   bool            // guarded by mu; it has said that it can't decode, which the watch does not know yet
	reports    rate            // guarded by mu

	wanted  string // what release gives back; as release, belongs to who owns the stay
	release func()
}

func (v *viewer) role() Role { return RolePlay }

func (v *viewer) describe(i *Info) {
	i.Stats, i.Route = v.sender.Stats(), v.route
	v.mu.Lock()
	sub := v.subscriber
	i.Choices, i.Rendition = choicesOf(v.plan, v.now.plan), v.now.rendition
	v.mu.Unlock()
	if sub != nil {
		i.Dropped = sub.Dropped()
	}
}

func (v *viewer) live(context.Context) error { return newWatch(v).run() }

// choicesOf is what was negotiated, with what is sent of it now.
func choicesOf(negotiated, now *negotiation.Plan) []negotiation.Choice {
	all := slices.Clone(negotiated.Sections)
	for i, c := range all {
		if n, ok := now.Choice(c.MID); ok && c.Action.Sends() && n.Action.Sends() {
			all[i] = n
		}
	}
	return all
}

// want has a rendition made, from before it is read until the viewer has gone over to another one.
func (v *viewer) want(rendition string) {
	if v.release != nil && v.wanted == rendition {
		return
	}
	before := v.release
	v.wanted, v.release = rendition, v.session.stay.stream.WantRendition(rendition)
	if before != nil {
		before()
	}
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
	servings, sub := slices.Clone(s.viewer.servings), s.viewer.subscriber
	s.viewer.mu.Unlock()
	for _, r := range append(s.stay.stream.Renditions(), s.stay.stream.Derived()...) {
		for i := range servings {
			if servings[i].rendition == r.Name {
				servings[i].layer.Bitrate = r.Bitrate // changes all the time
			}
		}
	}
	return shownOf(servings, readingOf(sub))
}

// readingOf is the rendition that a subscriber reads; "" for nil.
func readingOf(sub *hub.Subscriber) string {
	if sub == nil {
		return ""
	}
	return sub.Rendition()
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
	stay := v.session.stay
	all := stay.stream.Renditions()
	if stay.terms.Maker != nil {
		all = append(all, stay.terms.Maker.Renditions()...)
	}
	return slices.ContainsFunc(all, func(r hub.Rendition) bool {
		_, ok := media.First(r.Tracks, media.Video)
		return ok && r.Name == rid
	})
}
