package whep

import (
	"context"
	"slices"
	"strings"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/media"
	"sluice/peer"
	"sluice/signalling/client/call"
)

const (
	picture = string(media.Video) // the ID of the track
	maxHeld = 512                 // units until the tracks are published: more than any second has
)

// recorder is a peer.Sink that publishes what it is given. All its fields but the fixed ones belong to the goroutine
// that runs the reception.
type recorder struct {
	source    *Source                 // fixed
	reception *peer.Reception         // fixed
	call      *call.Call              // fixed
	publish   ingest.Publish          // fixed
	stop      context.CancelCauseFunc // fixed: ends the session
	expected  int                     // fixed: tracks that the server says it sends
	wishes    chan wishes             // capacity 1; sent to by begin, never closed

	tracks    []media.Track
	layers    map[string]string // which RID of a track is taken: the first that comes
	publisher *hub.Publisher    // nil before it is published
	held      []unit            // that came before it was published

	packets   uint64    // received when it was looked last
	heard     time.Time // when packets had come
	began     time.Time // when the first unit came; zero before
	over      bool      // publishing has failed
	restarted bool      // ICE, since packets came last
}

// wishes for keyframes come from the readers of a publisher.
type wishes struct {
	requests <-chan struct{}
	rid      string // of the picture
}

// unit is one unit that waits.
type unit struct {
	track string
	au    *media.AccessUnit
}

func newRecorder(s *Source, n *negotiated, publish ingest.Publish, stop context.CancelCauseFunc) *recorder {
	return &recorder{
		source: s, reception: n.reception, call: n.call, publish: publish, stop: stop, expected: n.tracks,
		wishes: make(chan wishes, 1), layers: make(map[string]string), heard: time.Now(),
	}
}

// Track notes what is known of a track. One that comes after the others were published is published with them anew.
func (r *recorder) Track(rid string, t media.Track) {
	if first, known := r.layers[t.ID]; r.over || known && first != rid {
		return
	}
	i := slices.IndexFunc(r.tracks, func(o media.Track) bool { return o.ID == t.ID })
	if i < 0 {
		r.layers[t.ID] = rid
		r.tracks = append(r.tracks, t)
		slices.SortFunc(r.tracks, func(a, b media.Track) int { return strings.Compare(string(b.Kind), string(a.Kind)) }) // video first
		if r.publisher != nil {
			r.begin()
		}
		return
	}
	r.tracks[i] = t
	if r.publisher != nil {
		r.keep(r.publisher.Update(t))
	}
}

// Unit writes a unit, or holds it until all tracks have begun.
func (r *recorder) Unit(rid, track string, au *media.AccessUnit) {
	switch {
	case r.over, r.layers[track] != rid:
	case r.publisher != nil:
		r.keep(r.publisher.Write(track, au))
	default:
		if len(r.held) == 0 {
			r.began = time.Now()
		}
		r.held = append(r.held, unit{track, au})
		if len(r.tracks) >= r.expected || len(r.held) >= maxHeld {
			r.begin()
		}
	}
}

// Tick looks for what has not come.
func (r *recorder) Tick(now time.Time) {
	if r.publisher == nil && !r.over && !r.began.IsZero() && now.Sub(r.began) >= r.source.times.tracks {
		r.begin()
	}
	if n := r.reception.Stats().Packets; n != r.packets {
		r.packets, r.heard, r.restarted = n, now, false
		return
	}
	silent := now.Sub(r.heard)
	switch {
	case silent >= r.source.times.silence:
		r.stop(&SilenceError{After: r.source.times.silence, Began: r.packets > 0})
	case silent >= r.source.times.doubt && r.packets > 0 && !r.restarted:
		r.restarted = true
		if r.call.Restart() {
			r.source.options.Log.Info("no media, restarting ICE", "after", silent.Round(time.Millisecond))
		}
	}
}

// begin publishes the tracks, and what was held of them.
func (r *recorder) begin() {
	p, err := r.publish(slices.Clone(r.tracks))
	if err != nil {
		r.keep(err)
		return
	}
	again := r.publisher != nil
	r.publisher = p
	for _, u := range r.held {
		r.keep(p.Write(u.track, u.au))
	}
	r.held = nil
	if again {
		r.reception.RequestKeyframe(r.layers[picture])
	}
	select {
	case <-r.wishes: // of the publisher before, that nobody has looked at yet
	default:
	}
	r.wishes <- wishes{p.KeyframeRequests(), r.layers[picture]}
}

// keep ends the session at the first failure of publishing.
func (r *recorder) keep(err error) {
	if err != nil {
		r.over = true
		r.stop(err)
	}
}

// passWishes asks the server for a keyframe when viewers want one: the hub has merged them (C14).
func (r *recorder) passWishes(ctx context.Context) {
	var w wishes
	for {
		select {
		case w = <-r.wishes:
		case <-w.requests:
			r.reception.RequestKeyframe(w.rid)
		case <-ctx.Done():
			return
		}
	}
}
