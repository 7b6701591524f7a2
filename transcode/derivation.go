package transcode

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
)

// unit is an access unit on its way into a derived rendition.
type unit struct {
	source uint32 // the publisher whose unit it is, or is made of (hub.Unit.Publisher)
	track  *media.Track
	*media.AccessUnit
}

// derivation is a derived rendition that is made: it writes what it is given by its jobs, and what it passes on
// itself.
type derivation struct {
	stream *Stream
	order  order
	jobs   []*job
	cancel context.CancelFunc // set by start

	idle time.Time // owned by Stream.Run: since when nobody wants it; zero: somebody does

	opened chan struct{} // capacity 1: there is another publisher

	mu        sync.Mutex     // taken after a job's
	publisher *hub.Publisher // guarded by mu; nil until the picture is known, and while the source is gone
	known     []*media.Track // guarded by mu: what publisher was told of each kind
	source    uint32         // guarded by mu: the newest publisher of the source that units have come of
	ended     uint32         // guarded by mu: the newest one that is known to be gone
}

func newDerivation(t *Stream, o order) *derivation {
	return &derivation{stream: t, order: o, opened: make(chan struct{}, 1)}
}

// start lets the jobs write, and passes on what they don't make.
func (d *derivation) start(ctx context.Context) {
	ctx, d.cancel = context.WithCancel(ctx)
	for _, j := range d.jobs {
		j.join(d)
	}
	d.stream.group.Go(func() { d.run(ctx) })
}

// stop ends the derivation. The jobs stay.
func (d *derivation) stop() {
	for _, j := range d.jobs {
		j.leave(d)
	}
	d.cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = math.MaxUint32
	d.shut()
}

// dead reports whether a job has given up.
func (d *derivation) dead() bool { return slices.ContainsFunc(d.jobs, (*job).dead) }

// idleUntil notes whether anybody wants the derivation, and is when to end it if that does not change; zero: not at
// all.
func (d *derivation) idleUntil(wanted bool, now time.Time, linger time.Duration) time.Time {
	if wanted {
		d.idle = time.Time{}
		return d.idle
	}
	if d.idle.IsZero() {
		d.idle = now
	}
	return d.idle.Add(linger)
}

// newest is the newest publisher of the source that units have come of, 0 before the first.
func (d *derivation) newest() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source
}

// suspend is told that a publisher of the source is gone. It closes ours, so that viewers wait, until the next one of
// the source has sent something, unless it already has.
func (d *derivation) suspend(gone uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = max(d.ended, gone)
	if d.source <= gone {
		d.shut()
	}
}

// shut needs mu.
func (d *derivation) shut() {
	if d.publisher != nil {
		d.publisher.Close()
		d.publisher, d.known = nil, nil
	}
}

// deliver writes a unit, once the picture is known. It never blocks.
func (d *derivation) deliver(u unit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u.source < d.source || u.source <= d.ended {
		return
	}
	if u.source > d.source {
		d.source = u.source
		d.shut()
	}
	if d.publisher == nil && !d.open(u) {
		return
	}
	if !slices.Contains(d.known, u.track) {
		d.known = slices.DeleteFunc(d.known, func(t *media.Track) bool { return t.Kind == u.track.Kind })
		d.known = append(d.known, u.track)
		_ = d.publisher.Update(*u.track) // a track that came later than the publisher waits for the next one
	}
	_ = d.publisher.Write(u.track.ID, u.AccessUnit)
}

// open publishes if u makes the tracks known. It needs mu.
func (d *derivation) open(u unit) bool {
	tracks := d.tracks(u)
	if len(tracks) == 0 {
		return false
	}
	p, err := d.stream.hub.PublishDerived(d.order.name, tracks)
	if err != nil {
		return false
	}
	d.publisher, d.known = p, nil
	select {
	case d.opened <- struct{}{}:
	default:
	}
	return true
}

// tracks is what the rendition holds from u on; nil if that is not known yet, or the source is gone. Sound that is
// made anew is known before it comes.
func (d *derivation) tracks(u unit) []media.Track {
	from := d.stream.hub.Tracks(d.order.source)
	var tracks []media.Track
	if _, has := media.First(from, media.Video); has {
		if u.track.Kind != media.Video || !u.Keyframe {
			return nil
		}
		tracks = append(tracks, *u.track)
	}
	if t, has := media.First(from, media.Audio); has {
		if d.order.makes(media.Audio) {
			t = soundOf(t, d.order.audio.codec)
		}
		tracks = append(tracks, t)
	}
	return tracks
}
