package hub

import (
	"cmp"
	"slices"

	"sluice/media"
)

// Rendition is one quality of a stream that is published now.
type Rendition struct {
	Name    string
	Tracks  []media.Track // as Stream.Tracks tells them
	Bitrate int           // of all tracks, bit/s, measured over about 2 s; 0 until known
}

// Renditions lists what is published now, but for what is derived, best first: by picture area, then bitrate, then
// name. What has no video comes last.
func (s *Stream) Renditions() []Rendition { return s.list(false) }

func (s *Stream) list(derived bool) []Rendition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Rendition
	for _, r := range s.renditions {
		if p := r.current(); p != nil && p.derived == derived {
			all = append(all, Rendition{Name: r.name, Tracks: p.Tracks(), Bitrate: int(p.meter.rate.Load())})
		}
	}
	slices.SortFunc(all, CompareRenditions)
	return all
}

// LastTracks is what the best rendition carried when the stream was last published: of those open now, or of those
// that were open together with the last one; nil if there never was one.
func (s *Stream) LastTracks() []media.Track {
	if open := s.Renditions(); len(open) > 0 {
		return open[0].Tracks
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Rendition
	for _, r := range s.renditions {
		if tracks, ok := r.carried(s.publication); ok {
			all = append(all, Rendition{Name: r.name, Tracks: tracks})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, CompareRenditions).Tracks
}

// CompareRenditions is the order of Renditions: negative if a is better than b.
func CompareRenditions(a, b Rendition) int {
	return cmp.Or(
		cmp.Compare(pictureArea(b.Tracks), pictureArea(a.Tracks)),
		cmp.Compare(b.Bitrate, a.Bitrate),
		cmp.Compare(a.Name, b.Name),
	)
}

// pictureArea is the pixels of the video track: 0 while they are not known, -1 without video.
func pictureArea(tracks []media.Track) int {
	t, ok := media.First(tracks, media.Video)
	if !ok {
		return -1
	}
	return t.Width * t.Height
}
