package transcode

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/hub"
	"sluice/negotiation"
)

// Rendition is one that the configuration adds to those of the source. What is 0 is as the source has it.
type Rendition struct {
	Name           string
	Height         int // pixels; a smaller source is not made larger
	FPS            int
	MaxBitrateKbps int
}

// StreamOptions is what the configuration says of one stream.
type StreamOptions struct {
	Mode       negotiation.Transcode
	Process    string // GStreamer elements between decoder and encoder of each picture
	Sink       string // a pipeline that gets the stream as its source sends it, without "gst:"; "": none
	Renditions []Rendition
	Log        *slog.Logger // required; its attributes say which stream it is
}

// Stream makes what is wanted of one stream. Methods other than Run may be called from any goroutine.
type Stream struct {
	service *Service
	hub     *hub.Stream
	options StreamOptions
	log     *slog.Logger
	sink    *sink // nil without one

	snapshot snapshot
	ledger   ledger

	// Owned by Run.
	derivations map[string]*derivation
	ending      map[key]<-chan struct{} // closed when the last job of the key has ended
	group       sync.WaitGroup          // the goroutines of derivations and jobs

	mu     sync.Mutex
	jobs   map[key]*job  // guarded by mu, written by Run alone
	faults map[key]fault // guarded by mu
}

// lookAgain is how often a worker that is not installed is looked for while somebody needs it.
const lookAgain = 2 * time.Second

func newStream(s *Service, st *hub.Stream, o StreamOptions) *Stream {
	t := &Stream{
		service: s, hub: st, options: o, log: o.Log, snapshot: newSnapshot(), ledger: newLedger(),
		derivations: make(map[string]*derivation), ending: make(map[key]<-chan struct{}), jobs: make(map[key]*job), faults: make(map[key]fault),
	}
	if o.Sink != "" {
		t.sink = &sink{stream: t}
	}
	return t
}

// Run makes what is wanted until ctx is done; then it returns the cause, after the last process has ended.
func (t *Stream) Run(ctx context.Context) error {
	t.service.add(t)
	defer t.service.remove(t)
	group, ctx := errgroup.WithContext(ctx)
	if t.sink != nil {
		group.Go(func() error { return t.sink.run(ctx) })
	}
	group.Go(func() error { return t.serve(ctx) })
	return group.Wait()
}

// serve keeps what is made and what is wanted the same.
func (t *Stream) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer t.group.Wait()
	defer t.closeAll()
	defer cancel()
	for {
		changed := t.hub.Changed()
		next := t.reconcile(ctx, time.Now())
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(time.Until(next))
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// reconcile begins what is wanted and ends what has not been for long enough. It returns when to look again, zero
// for not before something changes.
func (t *Stream) reconcile(ctx context.Context, now time.Time) (next time.Time) {
	wanted, next := t.wanted(now)
	for name, d := range t.derivations {
		o, ok := wanted[name]
		if newest := d.newest(); t.hub.Tracks(d.order.source) == nil {
			d.suspend(newest)
		}
		ends := d.idleUntil(ok, now, t.service.linger)
		switch {
		case ok && o != d.order, d.dead(), !ends.IsZero() && !now.Before(ends):
			t.close(d)
		default:
			next = earlier(next, ends)
		}
	}
	for name, o := range wanted {
		if t.derivations[name] == nil {
			t.open(ctx, o)
		}
	}
	t.settle()
	return next
}

// wanted is what is to be made now, by name. It returns when that may be something else though nobody signals it, zero
// for never.
func (t *Stream) wanted(now time.Time) (all map[string]order, next time.Time) {
	all = make(map[string]order)
	if t.options.Mode == negotiation.TranscodeNever {
		return all, next
	}
	absent := t.service.workers.Err() != nil
	for _, name := range t.hub.Demand() {
		o, ok := t.order(name)
		if !ok {
			continue
		}
		if absent {
			return all, now.Add(lookAgain)
		}
		if f, bad := t.faultOf(o); bad {
			next = earlier(next, f.until)
		} else {
			all[name] = o
		}
	}
	return all, next
}

// earlier is the earlier of two times, of which a zero one never comes.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// open begins a derivation, unless there is no room for a job that it needs: it is tried again when there is.
func (t *Stream) open(ctx context.Context, o order) {
	if !t.hasRoom(o) { // or one job would begin and end, and signal room, for as long as the other has none
		return
	}
	var begun []*job
	d := newDerivation(t, o)
	for _, k := range o.keys() {
		j := t.jobs[k]
		if j == nil {
			if j = t.begin(ctx, k); j == nil {
				t.release(begun)
				return
			}
		}
		j.users++
		begun = append(begun, j)
	}
	d.jobs = begun
	t.derivations[o.name] = d
	d.start(ctx)
}

// hasRoom reports whether there is room for all jobs of an order that don't run yet.
func (t *Stream) hasRoom(o order) bool {
	return !slices.ContainsFunc(o.keys(), func(k key) bool {
		return t.jobs[k] == nil && !t.service.slots(k.kind).hasRoom()
	})
}

// begin starts a job if there is room for one.
func (t *Stream) begin(ctx context.Context, k key) *job {
	place := t.service.slots(k.kind).take()
	if place == nil {
		return nil
	}
	j := newJob(t, k, place)
	j.after = t.ending[k]
	maps.DeleteFunc(t.ending, func(_ key, done <-chan struct{}) bool { return isClosed(done) }) // publishers name renditions as they like
	t.ending[k] = j.done
	t.mu.Lock()
	t.jobs[k] = j
	t.mu.Unlock()
	j.start(ctx)
	return j
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (t *Stream) close(d *derivation) {
	delete(t.derivations, d.order.name)
	d.stop()
	t.release(d.jobs)
}

func (t *Stream) closeAll() {
	for _, d := range t.derivations {
		t.close(d)
	}
}

// release ends the jobs that nobody uses any more.
func (t *Stream) release(jobs []*job) {
	for _, j := range jobs {
		if j.users--; j.users > 0 {
			continue
		}
		t.mu.Lock()
		delete(t.jobs, j.key)
		t.mu.Unlock()
		j.stop()
	}
}

// settle tells the jobs whether anybody watches what they make. One that is idle ends if its place is wanted.
func (t *Stream) settle() {
	watched := make(map[*job]bool)
	for _, d := range t.derivations {
		for _, j := range d.jobs {
			watched[j] = watched[j] || d.idle.IsZero()
		}
	}
	for j, busy := range watched {
		j.slot.setIdle(!busy)
	}
}
