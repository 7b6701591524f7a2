package hub

// NewestKeyframe is the newest keyframe of a rendition's main track, without reading the stream: nobody counts as
// interested. It reports false while nobody publishes the rendition, and if its ring holds none.
func (s *Stream) NewestKeyframe(rendition string) (*Unit, bool) {
	r := s.existing(rendition)
	if r == nil || r.current() == nil {
		return nil, false
	}
	u := r.ring.at(r.ring.gopStart())
	return u, u != nil
}
