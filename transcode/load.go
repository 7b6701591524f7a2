package transcode

import (
	"time"

	"sluice/worker/pipeline"
)

// load is how much less a job does than asked for, because the machine can't keep up. It is never late instead.
type load int

// The steps: each does all of those before it.
const (
	loadFull    load = iota
	loadRate         // half the pictures in a second
	loadPreset       // a faster and coarser encoder
	loadRefused      // and no other job may start
)

// String is what is told to people; "" for loadFull.
func (l load) String() string {
	switch l {
	case loadRate:
		return "half the frame rate"
	case loadPreset:
		return "half the frame rate, a coarser picture"
	case loadRefused:
		return "half the frame rate, a coarser picture, and no further encoders"
	}
	return ""
}

// apply takes from a picture what the load asks for.
func (l load) apply(p *pipeline.Picture) {
	const slowest = 5 // pictures in a second
	if l >= loadRate {
		fps := pipeline.Rate(p.SourceFPS, p.FPS)
		p.FPS = max(fps/2, min(fps, slowest))
	}
	if l >= loadPreset {
		p.Preset = pipeline.Ultrafast
	}
}

const (
	loadCheck   = time.Second     // between two looks
	maxLag      = time.Second     // from a frame's way in to its way out
	loadPatient = 5 * time.Second // how long it may go on so
	loadCalm    = 3 * time.Second // without a sign of overload, after which it begins anew

	firstRelief = time.Minute // without a sign of overload, after which a step of the load is taken back
	lastRelief  = time.Hour   // likewise, when that has proved too early often enough
)

// overload decides when a job has too much to do.
type overload struct {
	dropped    uint64
	since, now time.Time // the first and the latest sign; zero: none
}

// look is told each loadCheck what the queue has dropped so far and how far the output is behind, and reports whether
// the job is to do less.
func (o *overload) look(now time.Time, dropped uint64, lag time.Duration) bool {
	sign := dropped > o.dropped || lag > maxLag
	o.dropped = dropped
	switch {
	case sign && o.since.IsZero():
		o.since, o.now = now, now
	case sign:
		o.now = now
	case now.Sub(o.now) >= loadCalm:
		o.since = time.Time{}
	}
	return !o.since.IsZero() && now.Sub(o.since) >= loadPatient
}

// calm is how long ago the latest sign was.
func (o *overload) calm(now time.Time) time.Duration { return now.Sub(o.now) }

// relief tells when a step of the load may be taken back. Each time that was too early it waits twice as long.
type relief struct {
	wait  time.Duration
	given bool // a step was taken back since the last overload
}

func (r *relief) patience() time.Duration { return max(r.wait, firstRelief) }

// failed is told of each overload.
func (r *relief) failed() {
	if r.given {
		r.wait, r.given = min(2*r.patience(), lastRelief), false
	}
}
