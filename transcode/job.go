package transcode

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// A hardware encoder whose processes have ended so often, each within fastFailure, is not used for some time.
const (
	hardwareTries = 3
	fastFailure   = 10 * time.Second
)

// maxGOP is how many units a job keeps for renditions that join it.
const maxGOP = 300

// job makes one track for all derivations that need it, by one process at a time.
type job struct {
	stream *Stream
	key    key
	slot   *slot
	log    *slog.Logger
	cancel context.CancelFunc // set by start
	after  <-chan struct{}    // closed when an earlier job of the same key has ended; nil if there was none
	done   chan struct{}      // closed when run has ended
	over   atomic.Bool        // it has given up; the derivations are to go
	asks   keyframeMerger

	users int // owned by Stream.Run: derivations

	// Owned by run.
	backoff worker.Backoff
	fast    int // failures of a hardware encoder in a row
	relief  relief
	made    made
	pace    pace // of the source

	mu        sync.Mutex // taken before a derivation's
	listeners []*derivation
	gop       []unit // what was made since the newest keyframe, for who joins
	state     jobState
}

// made is how far a job has come, so that no process makes again what an earlier one has made.
type made struct {
	publisher uint32 // of the source
	picture   int64  // ns: the PTS of the newest picture, if it is of that publisher; -1: none
	sound     int64  // ticks: the PTS of the newest sound
}

// jobState is what Status tells of a job.
type jobState struct {
	Status
	process process // nil while none runs
	load    load    // how much less it does than asked for
}

func newJob(t *Stream, k key, s *slot) *job {
	j := &job{stream: t, key: k, slot: s, done: make(chan struct{}), log: t.log.With("worker", k.String())}
	j.state.Status = Status{Rendition: k.source, Kind: k.kind, Codec: k.codec, Makes: t.makes(k), Height: k.height, State: StateStarting}
	return j
}

func (j *job) start(ctx context.Context) {
	ctx, j.cancel = context.WithCancel(ctx)
	j.stream.group.Go(func() { j.run(ctx) })
	j.stream.group.Go(func() { j.yield(ctx) })
}

// stop ends the job; its process and its place are given back soon after.
func (j *job) stop() { j.cancel() }

// dead reports whether the job has ended by itself.
func (j *job) dead() bool { return j.over.Load() }

// yield gives the job up when nobody watches it and its place is wanted.
func (j *job) yield(ctx context.Context) {
	for {
		select {
		case <-j.slot.wanted:
			if j.slot.yields() {
				j.over.Store(true)
				j.cancel()
				j.stream.hub.Signal()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// run keeps a process running until ctx is done, or until it turns out that none can do the job.
func (j *job) run(ctx context.Context) {
	defer close(j.done)
	defer j.slot.release()
	if !j.isAlone(ctx) {
		return
	}
	for n := 0; ; n++ {
		a := &attempt{job: j, again: n > 0}
		err := a.run(ctx)
		ran := a.ran()
		if ctx.Err() != nil {
			return
		}
		if orderly(err) {
			continue
		}
		if j.failed(a, err, ran) || !pause(ctx, j.backoff.Next(time.Now(), ran)) {
			return
		}
		j.restarting()
	}
}

// isAlone waits until the earlier job of the key has ended. It reports false if ctx was done first.
func (j *job) isAlone(ctx context.Context) bool {
	if j.after == nil {
		return true
	}
	select {
	case <-j.after:
		return true
	case <-ctx.Done():
		return false
	}
}

// failed notes a failure, and reports whether the job is given up.
func (j *job) failed(a *attempt, err error, ran time.Duration) (over bool) {
	j.stream.service.counts.failures.Add(1)
	j.set(func(s *jobState) { s.State, s.Error, s.process = StateFailed, err.Error(), nil })
	j.blameHardware(a.encoder, ran)
	if over = permanent(err) || j.stream.service.workers.Err() != nil; over {
		tellGivenUp(j.log, err)
		if a.source != nil && permanent(err) {
			j.stream.blame(j.key, *a.source, err, j.status())
		}
		j.over.Store(true)
	} else {
		j.log.Warn("the worker has ended and is started again", endOf(err)...)
	}
	j.stream.hub.Signal()
	return over
}

// blameHardware counts fast failures of a hardware encoder, and has another one chosen after some.
func (j *job) blameHardware(e pipeline.Encoder, ran time.Duration) {
	if !e.Hardware || ran >= fastFailure {
		j.fast = 0
		return
	}
	if j.fast++; j.fast == hardwareTries {
		j.fast = 0
		j.stream.service.chooser.Failed(e)
	}
}

func (j *job) restarting() {
	j.stream.service.counts.restarts.Add(1)
	j.stream.ledger.restart(j.key.product())
	j.set(func(s *jobState) { s.State = StateStarting; s.Restarts++ })
}

func (j *job) set(change func(*jobState)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.state)
}

// status is what is known of the job.
func (j *job) status() Status {
	j.mu.Lock()
	s, p := j.state.Status, j.state.process
	s.Reduced = j.state.load.String()
	j.mu.Unlock()
	if p != nil {
		s.add(p.Stats())
	}
	return s
}

// load is how much less the job does than asked for.
func (j *job) load() load {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.load
}

// isRunning reports whether frames come out.
func (j *job) isRunning() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.State == StateRunning
}

// join lets a derivation have all that is made from now on, and what was made since the newest keyframe before.
func (j *job) join(d *derivation) {
	j.mu.Lock()
	for _, u := range j.gop {
		d.deliver(u)
	}
	j.listeners = append(j.listeners, d)
	missing := j.key.kind == media.Video && len(j.gop) == 0 && j.state.State == StateRunning
	j.mu.Unlock()
	if missing {
		j.requestKeyframe()
	}
}

func (j *job) leave(d *derivation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.listeners = slices.DeleteFunc(j.listeners, func(o *derivation) bool { return o == d })
}

// emit gives a unit that was made to all derivations.
func (j *job) emit(u unit) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.key.kind == media.Video {
		j.keep(u)
	}
	for _, d := range j.listeners {
		d.deliver(u)
	}
}

// keep needs mu.
func (j *job) keep(u unit) {
	switch {
	case u.Keyframe:
		j.gop = append(j.gop[:0:0], u)
	case len(j.gop) == maxGOP:
		j.gop = nil
	case len(j.gop) > 0:
		j.gop = append(j.gop, u)
	}
}

// requestKeyframe asks the encoder, merged with the wishes of others.
func (j *job) requestKeyframe() { j.asks.ask() }

// pause reports false if ctx was done first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
