package hub

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/media"
)

// Publisher is the one writing end of a rendition. Write and Update belong to one goroutine at a time; the
// other methods may be called from any.
type Publisher struct {
	stream    *Stream    // fixed after newPublisher
	rendition *rendition // fixed after newPublisher

	keyframes chan struct{} // capacity 1; sent to by requestKeyframe, never closed
	closed    atomic.Bool
	main      string // fixed: the ID of the track whose keyframes begin a GOP
	number    uint32 // fixed: which publisher of the stream this is, from 1
	derived   bool   // fixed: what it writes is made of another rendition
	meter     meter

	tracks atomic.Pointer[[]*media.Track] // replaced as a whole by Update, in the same order

	counts []uint64 // owned by the goroutine that calls Write: units written, by track

	closeOnce sync.Once
}

func newPublisher(s *Stream, r *rendition, number uint32, derived bool, tracks []media.Track) *Publisher {
	p := &Publisher{
		stream: s, rendition: r, number: number, derived: derived,
		keyframes: make(chan struct{}, 1), main: mainTrack(tracks),
	}
	all := make([]*media.Track, len(tracks))
	for i, t := range tracks {
		t.Rendition = r.name
		all[i] = &t
	}
	p.tracks.Store(&all)
	p.counts = make([]uint64, len(all))
	for i := range p.counts {
		p.counts[i] = r.ring.head.Load()
	}
	return p
}

// mainTrack is the first video track, or without one the first audio track.
func mainTrack(tracks []media.Track) string {
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		if t, ok := media.First(tracks, kind); ok {
			return t.ID
		}
	}
	return ""
}

// Write appends one access unit to the rendition's ring, wakes its subscribers and never blocks: a subscriber
// that has fallen out of the ring goes on at the newest keyframe, counted under DropTooSlow. Units of a track
// come in decode order; au must not change afterwards. It returns ErrClosed after Close, and
// *UnknownTrackError for a track that Publish was not given.
func (p *Publisher) Write(trackID string, au *media.AccessUnit) error {
	if p.closed.Load() {
		return ErrClosed
	}
	i, t := p.track(trackID)
	if t == nil {
		return &UnknownTrackError{Track: trackID}
	}
	p.counts[i]++
	u := &Unit{AccessUnit: au, Track: t, Count: p.counts[i], Publisher: p.number, main: trackID == p.main}
	// Before u can be seen: whoever comes after it may need the next keyframe, and that wish must stay.
	due := p.rendition.keyframes.written(u.main && u.Keyframe, time.Now())
	p.rendition.ring.append(u)
	size := au.Size()
	p.meter.add(size, au.Arrived)
	if !p.derived {
		p.stream.bytesIn.Add(uint64(size))
		p.stream.unitsIn.Add(1)
	}
	p.rendition.waiters.wake()
	if due {
		p.requestKeyframe()
	}
	return nil
}

func (p *Publisher) track(id string) (int, *media.Track) {
	for i, t := range *p.tracks.Load() {
		if t.ID == id {
			return i, t
		}
	}
	return 0, nil
}

// Update says that more is known of a track, or that it has changed. Units written from now on carry it. It
// returns *UnknownTrackError for a track that Publish was not given.
func (p *Publisher) Update(t media.Track) error {
	t.Rendition = p.rendition.name
	all := slices.Clone(*p.tracks.Load())
	i := slices.IndexFunc(all, func(o *media.Track) bool { return o.ID == t.ID })
	if i < 0 {
		return &UnknownTrackError{Track: t.ID}
	}
	if all[i].Equal(t) {
		return nil
	}
	all[i] = &t
	p.tracks.Store(&all)
	p.stream.Signal()
	return nil
}

// Tracks is what is known of the tracks now.
func (p *Publisher) Tracks() []media.Track {
	all := *p.tracks.Load()
	tracks := make([]media.Track, len(all))
	for i, t := range all {
		tracks[i] = *t
	}
	return tracks
}

// KeyframeRequests delivers the merged wishes of all subscribers for a keyframe: at most one each 500 ms, of
// which one waits if the publisher is busy. It is never closed.
func (p *Publisher) KeyframeRequests() <-chan struct{} { return p.keyframes }

func (p *Publisher) requestKeyframe() {
	p.stream.keyframesAsked.Add(1)
	select {
	case p.keyframes <- struct{}{}:
	default:
	}
}

// Close ends the publishing; subscribers stay and wait for the next publisher. It may be called twice.
func (p *Publisher) Close() {
	p.closeOnce.Do(func() {
		p.closed.Store(true)
		p.stream.release(p)
	})
}
