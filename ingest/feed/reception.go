package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// How many units, and bytes, wait until the tracks are published, and how many tracks a worker may have.
const (
	maxHeld      = 512
	maxHeldBytes = 32 << 20
	maxTracks    = 16
)

// reception is what comes of one process. It belongs to the goroutine of run.
type reception struct {
	worker      Worker              // fixed
	publication *publication        // fixed
	bitrate     func(wire.Caps) int // fixed; nil: none is set
	expected    int                 // tracks that come; 0: not known

	tracks map[uint8]*track
	first  time.Time // when the first track was described that is not published
	newest time.Time // when the newest was; zero if all are published
	clock  clock
	open   bool   // tracks are published
	held   []unit // that are to be written
	size   int    // of those, in bytes
	wished time.Time
	doubt  *time.Timer // ends a run that has nothing for the publisher there is; nil: none

	unfollow context.CancelFunc // ends the passing on of wishes; nil: nobody does
	parts    sync.WaitGroup
}

// unit is one unit that waits.
type unit struct {
	track *track
	au    *media.AccessUnit
}

func newReception(w Worker, p *publication, o *Options) *reception {
	expected := o.Tracks
	if p.publisher != nil {
		expected = len(p.tracks) // it is the same pipeline again
	}
	return &reception{worker: w, publication: p, bitrate: o.Bitrate, expected: expected, tracks: make(map[uint8]*track)}
}

// run takes what comes until the process ends.
func (r *reception) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer r.parts.Wait()
	defer stop()
	for {
		e, err := r.worker.Next(ctx)
		if err == nil {
			err = r.take(ctx, &e)
		}
		if err != nil {
			return err
		}
	}
}

func (r *reception) take(ctx context.Context, e *worker.Event) error {
	switch e.Kind {
	case worker.EventReady:
		r.expected = max(r.expected, e.Tracks)
	case worker.EventCaps:
		return r.describe(e.Caps, time.Now())
	case worker.EventFrame:
		return r.frame(ctx, &e.Frame)
	case worker.EventEOS:
		return &wire.Fault{Code: wire.FaultEOS}
	}
	return nil
}

// describe notes a track, or that it has become another. One that comes after others were published is published
// together with them, anew.
func (r *reception) describe(c wire.Caps, now time.Time) error {
	if c.Kind != media.Video && c.Kind != media.Audio {
		return nil
	}
	if err := check(c); err != nil {
		return err
	}
	if r.bitrate != nil && c.Kind == media.Video && c.Encoder != "" && c.Width > 0 && c.Height > 0 {
		r.worker.SetBitrate(c.Track, r.bitrate(c))
	}
	old := r.tracks[c.Track]
	if old != nil && same(old.known, describe(c, old.known.ID)) {
		return nil // pictures tell their size themselves
	}
	if old == nil && len(r.tracks) == maxTracks {
		return fmt.Errorf("the worker has more than %d tracks", maxTracks)
	}
	r.tracks[c.Track] = newTrack(c, r.name(c, old))
	if r.newest.IsZero() {
		r.first = now
	}
	r.newest = now
	return nil
}

// name is the ID of a track: that which it had, or the next of its kind.
func (r *reception) name(c wire.Caps, old *track) string {
	if old != nil && old.known.Kind == c.Kind {
		return old.known.ID
	}
	n := 0
	for _, t := range r.tracks {
		if t.known.Kind == c.Kind {
			n++
		}
	}
	return trackID(c.Kind, n)
}

// frame writes a frame, or holds it until the tracks are published.
func (r *reception) frame(ctx context.Context, m *wire.Message) error {
	now := time.Now()
	if !r.clock.running() {
		r.publication.began = now
		if r.doubt != nil {
			r.doubt.Stop()
		}
	}
	r.publication.heard = now
	t := r.tracks[m.Track]
	if t == nil {
		return nil
	}
	data := wire.Split(t.known.Codec, m.Payload)
	au := &media.AccessUnit{PTS: r.clock.pts(m.PTS, t.known.ClockRate), Arrived: now, Keyframe: m.Flags&wire.Keyframe != 0, Data: data}
	if t.units.Conform(au) {
		r.held = append(r.held, unit{t, au})
		r.size += au.Size()
	} else {
		r.wish(m.Track, t, now)
	}
	if r.due(now) {
		if err := r.begin(ctx); err != nil {
			return err
		}
	}
	return r.flush()
}

// flush writes what is held, once there is a publisher. Units of a track that is not published yet are lost.
func (r *reception) flush() error {
	if !r.open {
		return nil
	}
	for _, u := range r.held {
		if !u.track.published {
			continue
		}
		if now := u.track.units.Track(); !now.Equal(u.track.known) {
			u.track.known = now
			if err := r.publication.publisher.Update(now); err != nil {
				return err
			}
		}
		if err := r.publication.publisher.Write(u.track.known.ID, u.au); err != nil {
			return err
		}
	}
	clear(r.held)
	r.held, r.size = r.held[:0], 0
	return nil
}

// due reports whether there are tracks to be published: all that is expected has begun, or does not seem to. Where
// nobody knows how many come, they come at nearly the same time.
func (r *reception) due(now time.Time) bool {
	if r.newest.IsZero() {
		return false
	}
	if len(r.held) >= maxHeld || r.size >= maxHeldBytes {
		return true
	}
	for _, t := range r.tracks {
		if !t.units.Started() {
			return now.Sub(r.first) >= settle
		}
	}
	if r.expected > 0 {
		return len(r.tracks) >= r.expected || now.Sub(r.first) >= patience
	}
	return now.Sub(r.newest) >= quiet
}

// begin publishes all tracks that were described.
func (r *reception) begin(ctx context.Context) error {
	tracks := make([]media.Track, 0, len(r.tracks))
	for _, i := range slices.Sorted(maps.Keys(r.tracks)) {
		t := r.tracks[i]
		t.known, t.published = t.units.Track(), true
		tracks = append(tracks, t.known)
	}
	slices.SortStableFunc(tracks, func(a, b media.Track) int { return strings.Compare(string(b.Kind), string(a.Kind)) }) // video first
	if err := r.publication.open(tracks); err != nil {
		return err
	}
	r.open, r.newest = true, time.Time{}
	r.follow(ctx)
	return nil
}
