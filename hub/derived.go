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
	s.signal()
}

// Demand lists, by name, the renditions that somebody reads, is about to go over to, or wants. It is worth another
// look when Changed says so.
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
