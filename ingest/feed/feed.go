// Package feed publishes what a worker process makes of a pipeline or a device. It starts the process again when it
// fails, and keeps the publisher open meanwhile, so that viewers see a short gap and nothing else.
package feed

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"sluice/ingest"
	"sluice/worker"
	"sluice/worker/wire"
)

const (
	quiet    = 500 * time.Millisecond // after a track, before no other is expected
	settle   = 2 * time.Second        // from the first track to the publication, whatever is missing
	patience = 5 * time.Second        // without a frame, in which the publisher is kept open; for tracks that have to come
	plays    = time.Second            // of frames make an end an orderly one: the next run starts at once
)

// Spec is what a worker needs that feeds a stream: a device may have to warm up, a server may have to be dialled, and
// whoever sends to us may come when he likes. silence without media, once there was some, means that the source is
// gone; 0: 10 s.
func Spec(job wire.Job, silence time.Duration) worker.Spec {
	s := worker.Spec{
		Job: job, Label: "source", Start: 15 * time.Second, FirstOutput: 15 * time.Second, Silence: cmp.Or(silence, 10*time.Second),
	}
	if job.Waits {
		s.FirstOutput = 0
	}
	return s
}

// Worker is a running process. *worker.Process is one.
type Worker interface {
	Next(ctx context.Context) (worker.Event, error)
	RequestKeyframe(track uint8)
	SetBitrate(track uint8, bps int)
	Close()
}

// Options say where the media comes from.
type Options struct {
	// Start starts the process. Its errors end the feed if they are ingest.Permanent.
	Start func(ctx context.Context) (Worker, error)
	// Tracks is how many tracks come; 0: that is not known, and each is waited for a moment.
	Tracks int
	// Bitrate is what a picture shall have, in bit/s, that the worker encodes itself, once its size is known. Nil: the
	// worker knows best.
	Bitrate func(picture wire.Caps) int
	Log     *slog.Logger
}

// Feed is an ingest.Source of what workers make. One Run at a time.
type Feed struct {
	options Options // fixed after New
}

// New makes a feed that is not running yet.
func New(o Options) *Feed { return &Feed{options: o} }

// Run publishes once the tracks are known, and starts the worker again when it ends: by itself while the stream has
// been without media for some seconds only, else it returns why and leaves the next try to the supervisor. Failures
// that no retry mends are ingest.Permanent. When ctx is done it stops the worker, which takes up to 2 s.
func (f *Feed) Run(ctx context.Context, publish ingest.Publish) error {
	p := &publication{publish: publish}
	var delays worker.Backoff
	for {
		began := time.Now()
		err := permanent(f.attempt(ctx, p))
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		level := slog.LevelWarn
		if ended(err) && p.heard.Sub(p.began) >= plays { // a file that is played again and again
			delays, level = worker.Backoff{}, slog.LevelDebug
		}
		if text := worker.Stderr(err); text != "" {
			f.options.Log.Info("what the worker printed last", "stderr", text)
		}
		now := time.Now()
		pause := delays.Next(now, now.Sub(began))
		if ingest.IsPermanent(err) || now.Add(pause).Sub(p.heard) > patience {
			return err
		}
		f.options.Log.Log(ctx, level, "the worker is started again", "err", err, "pause", pause)
		if !sleep(ctx, pause) {
			return context.Cause(ctx)
		}
	}
}

// attempt runs one process to its end.
func (f *Feed) attempt(ctx context.Context, p *publication) error {
	w, err := f.options.Start(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	p.began = time.Now() // of frames, as soon as one comes
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newReception(w, p, &f.options)
	if p.publisher != nil { // viewers see a still picture
		r.doubt = time.AfterFunc(patience, func() { stop(errSilent) })
		defer r.doubt.Stop()
	}
	return r.run(ctx)
}

// errSilent ends what was started again for viewers, and has nothing for them.
var errSilent = errors.New("nothing comes any more")

// permanent marks what no retry mends: a worker that is missing or off, a mistake in the configuration.
func permanent(err error) error {
	var fault *wire.Fault
	switch {
	case errors.As(err, new(*worker.NotInstalledError)), errors.As(err, new(*worker.OffError)):
		return ingest.Permanent(err)
	case errors.As(err, &fault) && fault.Permanent:
		return ingest.Permanent(err)
	}
	return err
}

// ended reports whether the media has come to its end, as that of a file does.
func ended(err error) bool {
	var fault *wire.Fault
	return errors.As(err, &fault) && fault.Code == wire.FaultEOS
}

// sleep reports false if ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
