package hub

import (
	"maps"
	"slices"
	"sync"

	"sluice/media"
)

// PublishDerived is Publish for a rendition that is made of another one. Readers see no difference, but it is not
// listed by Renditions and LastTracks, and what it writes is not counted as input.
func (s *Stream) PublishDerived(rendition string, tracks []media.Track) (*Publisher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open(rendition, 0, tracks)
}

// Derived lists the derived renditions that are published now, in the order of Renditions.
func (s *Stream) Derived() []Rendition { return s.list(true) }

// WantRendition says that somebody will read a rendition; release takes that back and may be called twice.
func (s *Stream) WantRendition(name string) (release func()) {
	s.wish(name, 1)
	var once sync.Once
	return func() { once.Do(func() { s.wish(name, -1) }) }
}

func (s *Stream) wish(name string, by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wished[name] += by; s.wished[name] == 0 {
		delete(s.wished, name)
	}
	s.demand(s.renditions[name])
}

// demand signals that renditions, nil for one that nobody knows, are wanted by more or by fewer. It needs mu. Of what
// the source publishes anyway nobody need know.
func (s *Stream) demand(renditions ...*rendition) {
	if slices.ContainsFunc(renditions, func(r *rendition) bool { return r == nil || !r.isPlain() }) {
		s.signal()
	}
}

// isPlain reports whether the source publishes the rendition now.
func (r *rendition) isPlain() bool {
	p := r.current()
	return p != nil && !p.derived
}

// Demand lists, by name, the renditions that somebody reads, is about to go over to, or wants. Changed says when it is
// worth another look, but for renditions that the source publishes.
func (s *Stream) Demand() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make(map[string]struct{})
	for name := range s.wished {
		names[name] = struct{}{}
	}
	for sub := range s.subscribers {
		names[sub.wanted.Load().name] = struct{}{}
		names[sub.at.Load().name] = struct{}{}
	}
	return slices.Sorted(maps.Keys(names))
}
