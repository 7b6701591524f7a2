package feed

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

const (
	maxHeld     = 512         // units until the tracks are published
	keyInterval = time.Second // between two wishes for a keyframe of our own
)

// reception is what comes of one process. It belongs to the goroutine of run.
type reception struct {
	worker      Worker       // fixed
	publication *publication // fixed
	expected    int          // fixed: tracks that come; 0: not known

	tracks map[uint8]*track
	ready  bool      // the worker runs
	named  time.Time // when the first track was described
	clock  clock
	open   bool   // the tracks are published
	held   []unit // that came before
	wished time.Time

	unfollow context.CancelFunc // ends the passing on of wishes; nil: nobody does
	parts    sync.WaitGroup
}

// unit is one unit that waits.
type unit struct {
	track string
	au    *media.AccessUnit
}

func newReception(w Worker, p *publication, expected int) *reception {
	return &reception{worker: w, publication: p, expected: expected, tracks: make(map[uint8]*track)}
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
		r.ready = true
	case worker.EventCaps:
		return r.describe(ctx, e.Caps)
	case worker.EventFrame:
		return r.frame(ctx, &e.Frame)
	case worker.EventEOS:
		return &wire.Fault{Code: wire.FaultEOS}
	}
	return nil
}

// describe notes a track, or that it has changed. One that comes after the others were published is published with
// them anew.
func (r *reception) describe(ctx context.Context, c wire.Caps) error {
	if c.Kind != media.Video && c.Kind != media.Audio {
		return nil
	}
	if r.named.IsZero() {
		r.named = time.Now()
	}
	old := r.tracks[c.Track]
	if old != nil && same(old.known, describe(c, old.known.ID)) {
		return nil // pictures tell their size themselves
	}
	r.tracks[c.Track] = newTrack(c, r.name(c, old))
	if r.open {
		return r.begin(ctx)
	}
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
	}
	r.publication.heard = now
	t := r.tracks[m.Track]
	if t == nil {
		return nil
	}
	data := wire.Split(t.known.Codec, m.Payload)
	if m.Flags&wire.Header != 0 {
		t.units.Learn(data)
		return nil
	}
	au := &media.AccessUnit{PTS: r.clock.pts(m.PTS, t.known.ClockRate), Arrived: now, Keyframe: m.Flags&wire.Keyframe != 0, Data: data}
	if !t.units.Conform(au) {
		r.wish(m.Track, t, now)
		return r.beginIfDue(ctx, now)
	}
	if !r.open {
		r.held = append(r.held, unit{t.known.ID, au})
		return r.beginIfDue(ctx, now)
	}
	if err := r.learn(t); err != nil {
		return err
	}
	return r.publication.publisher.Write(t.known.ID, au)
}

// learn tells the publisher what the units have told of their track.
func (r *reception) learn(t *track) error {
	if now := t.units.Track(); !now.Equal(t.known) {
		t.known = now
		return r.publication.publisher.Update(now)
	}
	return nil
}

// wish asks for the keyframe without which nothing of a track passes.
func (r *reception) wish(index uint8, t *track, now time.Time) {
	if !t.units.Started() && now.Sub(r.wished) >= keyInterval {
		r.wished = now
		r.worker.RequestKeyframe(index)
	}
}

// beginIfDue publishes once all that is expected has begun, or does not seem to.
func (r *reception) beginIfDue(ctx context.Context, now time.Time) error {
	if r.open || !r.complete() && now.Sub(r.named) < settle && len(r.held) < maxHeld {
		return nil
	}
	return r.begin(ctx)
}

// complete reports whether all tracks are there and know their parameters.
func (r *reception) complete() bool {
	for _, t := range r.tracks {
		if !t.units.Started() {
			return false
		}
	}
	if r.expected > 0 {
		return len(r.tracks) >= r.expected
	}
	return r.ready
}

// begin publishes the tracks, and what was held of them.
func (r *reception) begin(ctx context.Context) error {
	tracks := make([]media.Track, 0, len(r.tracks))
	for _, i := range slices.Sorted(maps.Keys(r.tracks)) {
		t := r.tracks[i]
		t.known = t.units.Track()
		tracks = append(tracks, t.known)
	}
	slices.SortStableFunc(tracks, func(a, b media.Track) int { return cmpKind(a.Kind) - cmpKind(b.Kind) })
	if err := r.publication.open(tracks); err != nil {
		return err
	}
	r.open = true
	r.follow(ctx)
	held := r.held
	r.held = nil
	for _, u := range held {
		if err := r.publication.publisher.Write(u.track, u.au); err != nil {
			return err
		}
	}
	return nil
}

// cmpKind puts pictures before sound.
func cmpKind(k media.Kind) int {
	if k == media.Video {
		return 0
	}
	return 1
}

// follow passes the viewers' wishes for keyframes on to the worker until the publisher changes or the process ends.
func (r *reception) follow(ctx context.Context) {
	if r.unfollow != nil {
		r.unfollow()
	}
	picture, ok := r.picture()
	if !ok {
		return
	}
	ctx, r.unfollow = context.WithCancel(ctx)
	requests := r.publication.publisher.KeyframeRequests()
	r.parts.Go(func() {
		for {
			select {
			case <-requests:
				r.worker.RequestKeyframe(picture)
			case <-ctx.Done():
				return
			}
		}
	})
}

// picture is the index of the first track that is one.
func (r *reception) picture() (uint8, bool) {
	for _, i := range slices.Sorted(maps.Keys(r.tracks)) {
		if r.tracks[i].known.Kind == media.Video {
			return i, true
		}
	}
	return 0, false
}
