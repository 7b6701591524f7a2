package transcode

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// sinkEnd is how long a sink may take to write down what it has when it ends.
const sinkEnd = time.Second

// sinkRun is one process of a sink.
type sinkRun struct {
	*sink
	from      *hub.Subscriber
	rendition string
	process   process
	ready     chan struct{} // closed by drain
	ended     chan struct{} // closed by drain when it returns
	wire      wire.Job
	publisher uint32                      // owned by feed
	known     map[media.Kind]*media.Track // owned by feed
}

// attempt starts the pipeline and returns why it has ended.
func (s *sink) attempt(ctx context.Context, rendition string, start hub.Start) error {
	sub, err := s.stream.hub.Subscribe(rendition, start)
	if err != nil {
		return err
	}
	defer sub.Close()
	sub.Forward()
	if start == hub.StartKeyframe {
		sub.RequestKeyframe()
	}
	first, err := sub.Next(ctx)
	if err != nil {
		return err
	}
	r := &sinkRun{
		sink: s, from: sub, rendition: rendition, publisher: first.Publisher, known: make(map[media.Kind]*media.Track),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
	if r.wire, err = r.plan(); err != nil {
		return err
	}
	job := r.wire // which stays without a moment, to be compared
	job.Pipeline = pipeline.Stamp(job.Pipeline, time.Now())
	r.process, err = s.stream.service.workers.Start(ctx, worker.Spec{
		Job: job, Label: "sink " + s.stream.hub.Name(), Start: 3 * worker.StartDeadline,
	})
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	s.stream.service.counts.started.Add(1)
	s.stream.ledger.begin(r.process, product{kind: KindSink})
	s.set(r.process, func(st *Status) { st.Rendition, st.State = rendition, StateStarting })
	defer r.end()
	return r.run(ctx, first)
}

func (r *sinkRun) run(ctx context.Context, first *hub.Unit) error {
	feeding, stop := context.WithCancelCause(ctx)
	var group sync.WaitGroup
	group.Go(func() { stop(r.drain(context.WithoutCancel(ctx))) })
	group.Go(func() { stop(r.watch(feeding)) })
	err := r.feed(feeding, first)
	if feeding.Err() != nil && ctx.Err() == nil {
		err = context.Cause(feeding)
	}
	stop(err)
	r.finish()
	group.Wait()
	return err
}

// end returns when the process has gone.
func (r *sinkRun) end() {
	r.process.Close()
	r.stream.ledger.end(r.process)
	did := r.process.Stats()
	r.set(nil, func(st *Status) { st.spend(did) })
}

func (r *sinkRun) plan() (wire.Job, error) {
	tracks := sinkTracks(r.stream.hub.Tracks(r.rendition))
	return pipeline.Sink(r.stream.options.Sink, tracks, r.stream.service.allow)
}

// drain waits for the end of the process.
func (r *sinkRun) drain(ctx context.Context) error {
	defer close(r.ended)
	for {
		e, err := r.process.Next(ctx)
		switch {
		case err != nil:
			return err
		case e.Kind == worker.EventReady:
			r.set(r.process, func(st *Status) { st.State = StateRunning })
			close(r.ready)
		case e.Kind == worker.EventEOS:
			return errEnded
		}
	}
}

// finish lets the pipeline write down what it has, then ends it.
func (r *sinkRun) finish() {
	r.process.EndOfStream()
	select {
	case <-r.ended:
	case <-time.After(sinkEnd):
	}
	r.process.Close()
}

// feed gives the process what the source sends until that changes.
func (r *sinkRun) feed(ctx context.Context, u *hub.Unit) error {
	select {
	case <-r.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		if r.known[u.Track.Kind] == u.Track || r.stream.isFirst(r.rendition, u.Track) {
			if err := r.follow(u); err != nil {
				return err
			}
			r.write(u)
		}
		var err error
		if u, err = r.from.Next(ctx); err != nil {
			return err
		}
	}
}

// follow returns errChanged if the process was started for something else than what the source is now.
func (r *sinkRun) follow(u *hub.Unit) error {
	if u.Publisher != r.publisher {
		return errChanged
	}
	if r.known[u.Track.Kind] == u.Track {
		return nil
	}
	r.known[u.Track.Kind] = u.Track
	now, err := r.plan()
	if err != nil {
		return err
	}
	if now.Pipeline != r.wire.Pipeline || !slices.Equal(now.Inputs, r.wire.Inputs) {
		return errChanged
	}
	return nil
}

func (r *sinkRun) write(u *hub.Unit) {
	track := slices.IndexFunc(r.wire.Inputs, func(p wire.Port) bool { return p.Kind == u.Track.Kind })
	ns := nanoseconds(u.PTS, u.Track.ClockRate)
	if track < 0 || ns < 0 {
		return
	}
	m := wire.Message{Type: wire.TypeFrame, Track: uint8(track), PTS: ns, DTS: ns}
	if u.Keyframe {
		m.Flags = wire.Keyframe
	}
	r.process.Write(&m, wire.Join(u.Track.Codec, u.Data)...)
}
