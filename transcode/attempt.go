package transcode

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/bitstream"
	"sluice/hub"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// attempt is one process of a job: what goes in, and what comes out.
type attempt struct {
	*job
	again bool // it is not the job's first

	// Set before the goroutines of run start.
	from    *hub.Subscriber
	process process
	began   time.Time
	ready   chan struct{} // closed by drain
	encoder pipeline.Encoder
	flight  flight
	fed     fed

	publisher uint32 // that wrote what is read
	fps       int    // of the source when the process was started; 0: not known
	past      int64  // ns: the PTS of the newest picture that an earlier process has made; -1: none

	// Owned by run, and by feed while that runs.
	source  *media.Track // that is read, as it was told last; nil before the first unit
	backlog []*hub.Unit  // what the source has sent before the process could take it, from a keyframe on
	wire    wire.Job     // what the process was started for

	// Owned by drain.
	conformer *bitstream.Conformer
	track     *media.Track // as it comes out
	clock     soundClock
	shown     bool // something has come out
}

// run starts a process and returns why it has ended.
func (a *attempt) run(ctx context.Context) error {
	sub, err := a.stream.hub.Subscribe(a.key.source, hub.StartGOP)
	if err != nil {
		return err
	}
	defer sub.Close()
	sub.Forward()
	a.from = sub
	first, err := a.first(ctx)
	if err != nil {
		return err
	}
	a.source, a.publisher, a.backlog = first.Track, first.Publisher, []*hub.Unit{first}
	if a.made.publisher != a.publisher {
		a.made.publisher, a.made.picture, a.pace = a.publisher, -1, pace{}
	}
	a.past = a.made.picture
	a.pace.add(first)
	a.gather()
	a.fps = a.pace.rate()
	if err = a.begin(ctx); err != nil {
		return err
	}
	defer a.end()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.feed(ctx) })
	group.Go(func() error { return a.drain(ctx) })
	group.Go(func() error { return a.asks.run(ctx, func() { a.process.RequestKeyframe(0) }) })
	group.Go(func() error { return a.watch(ctx) })
	return group.Wait()
}

// first waits for the first unit of the track that is to be made anew: the keyframe of the cached GOP, or the next.
func (a *attempt) first(ctx context.Context) (*hub.Unit, error) {
	u, ok := a.from.TryNext()
	if !ok && a.key.kind == media.Video {
		a.from.RequestKeyframe()
	}
	for !ok || !a.takes(u) {
		var err error
		if u, err = a.from.Next(ctx); err != nil {
			return nil, err
		}
		ok = true
	}
	return u, nil
}

// takes reports whether a unit is of the track that viewers get of the job's kind.
func (a *attempt) takes(u *hub.Unit) bool {
	return u.Track.Kind == a.key.kind && (u.Track == a.source || a.stream.isFirst(a.key.source, u.Track))
}

// begin starts the process.
func (a *attempt) begin(ctx context.Context) (err error) {
	service := a.stream.service
	if a.key.kind == media.Video {
		if a.encoder, err = service.chooser.Encoder(ctx, a.key.codec); err != nil {
			return fmt.Errorf("choose an encoder: %w", err)
		}
	}
	if a.wire, err = a.plan(*a.source); err != nil {
		return err
	}
	a.began, a.ready = time.Now(), make(chan struct{})
	a.process, err = service.workers.Start(ctx, worker.Spec{
		Job: a.wire, Label: fmt.Sprintf("transcode %s %s", a.stream.hub.Name(), a.key), Isolate: true,
		Start: worker.StartDeadline, FirstOutput: worker.OutputDeadline, Silence: worker.SilenceDeadline, Low: a.key.height > 0,
	})
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	service.counts.started.Add(1)
	a.stream.ledger.begin(a.process, a.key.product())
	a.set(func(s *jobState) { s.process, s.Encoder, s.FirstFrame = a.process, a.encoder.Element, 0 })
	a.expect(*a.source)
	return nil
}

// ran is for how long there was a process.
func (a *attempt) ran() time.Duration {
	if a.began.IsZero() {
		return 0
	}
	return time.Since(a.began)
}

// end returns when the process has gone, so that there are never two.
func (a *attempt) end() {
	a.process.Close()
	a.stream.ledger.end(a.process)
	did := a.process.Stats()
	a.set(func(s *jobState) { s.process = nil; s.spend(did) })
}

// plan is what a process has to do for a track.
func (a *attempt) plan(t media.Track) (wire.Job, error) {
	if a.key.kind == media.Audio {
		return pipeline.TranscodeSound(pipeline.Sound{Source: t, Codec: a.key.codec})
	}
	p := pipeline.Picture{
		Source: t, Codec: a.key.codec, Height: a.key.height, FPS: a.key.fps, SourceFPS: a.fps, BitrateKbps: a.kbps(t),
		Process: a.stream.options.Process, Encoder: a.encoder,
	}
	a.load().apply(&p)
	return pipeline.TranscodePicture(p, a.stream.service.allow)
}

// kbps is the bitrate of a picture: what suits its size, but no more than the configuration allows.
func (a *attempt) kbps(t media.Track) int {
	w, h := pipeline.Scaled(t, 0, a.key.height)
	kbps := pipeline.BitrateFor(w, h, pipeline.Rate(a.fps, a.key.fps))
	if a.key.kbps > 0 {
		kbps = min(kbps, a.key.kbps)
	}
	return kbps
}

// expect prepares for what the process will make.
func (a *attempt) expect(source media.Track) {
	made := soundOf(source, a.key.codec)
	if a.key.kind == media.Video {
		made = pictureOf(source, a.key.codec, a.key.height)
	}
	made.Rendition = ""
	a.clock = soundClock{rate: made.ClockRate}
	a.conformer = bitstream.NewConformer(made)
	a.track = &made
}
