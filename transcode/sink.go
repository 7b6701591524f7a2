package transcode

import (
	"context"
	"slices"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker"
)

// sink keeps the pipeline running that a stream ends in, while the stream is published.
type sink struct {
	stream *Stream

	// Owned by run.
	backoff worker.Backoff // of failures
	changes worker.Backoff // of starts for a source that has changed

	mu      sync.Mutex
	state   Status
	process process // guarded by mu; nil while none runs
}

func (s *sink) run(ctx context.Context) error {
	s.set(nil, func(st *Status) { st.Kind, st.State = KindSink, StateStarting })
	start := hub.StartKeyframe
	for {
		source, tracks, err := s.await(ctx, nil)
		if err != nil {
			return err
		}
		began := time.Now()
		err = s.attempt(ctx, source, start)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		ran := time.Since(began)
		if orderly(err) {
			start = hub.StartGOP // what follows the change is all that it holds
			err = s.changed(ctx, err, ran)
		} else {
			start = hub.StartKeyframe
			err = s.failed(ctx, err, tracks, ran)
		}
		if err != nil {
			return err
		}
	}
}

// await waits until the source publishes something with tracks other than those.
func (s *sink) await(ctx context.Context, other []media.Track) (source string, tracks []media.Track, err error) {
	for {
		changed := s.stream.hub.Changed()
		source = s.stream.best()
		tracks = sinkTracks(s.stream.hub.Tracks(source))
		if len(tracks) > 0 && !slices.EqualFunc(tracks, other, media.Track.Equal) && s.stream.service.workers.Err() == nil {
			return source, tracks, nil
		}
		var due <-chan time.Time
		if err := s.stream.service.workers.Err(); err != nil {
			s.set(nil, func(st *Status) { st.State, st.Error = StateFailed, err.Error() })
			due = time.After(lookAgain)
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
			return "", nil, context.Cause(ctx)
		}
	}
}

// sinkTracks are those that a sink gets: the first picture and the first sound.
func sinkTracks(all []media.Track) []media.Track {
	var tracks []media.Track
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		if t, ok := media.First(all, kind); ok {
			tracks = append(tracks, t)
		}
	}
	return tracks
}

// failed waits until the pipeline may be started again.
func (s *sink) failed(ctx context.Context, err error, tracks []media.Track, ran time.Duration) error {
	s.stream.service.counts.failures.Add(1)
	s.set(nil, func(st *Status) { st.State, st.Error = StateFailed, err.Error() })
	if permanent(err) {
		tellGivenUp(s.stream.log.With("worker", "sink"), err)
		return s.rest(ctx, tracks, passes(err))
	}
	s.stream.log.Warn("the sink has ended and is started again", endOf(err)...)
	if !pause(ctx, s.backoff.Next(time.Now(), ran)) {
		return context.Cause(ctx)
	}
	s.stream.service.counts.restarts.Add(1)
	s.stream.ledger.restart(product{kind: KindSink})
	s.set(nil, func(st *Status) { st.Restarts++ })
	return nil
}

// changed waits until the pipeline may be started for what the source sends now: a source that changes all the time
// does not keep the machine busy with that.
func (s *sink) changed(ctx context.Context, why error, ran time.Duration) error {
	if ran >= sinkPatience {
		s.changes = worker.Backoff{}
	}
	wait := s.changes.Next(time.Now(), ran)
	s.stream.log.Info("the sink has ended and is started again", "why", why, "after", wait)
	if !pause(ctx, wait) {
		return context.Cause(ctx)
	}
	return nil
}

// rest waits until the source sends other tracks; if what is at fault may pass, it does not wait for long.
func (s *sink) rest(ctx context.Context, tracks []media.Track, passes bool) error {
	waiting := ctx
	if passes {
		var stop context.CancelFunc
		waiting, stop = context.WithTimeout(ctx, hopeless)
		defer stop()
	}
	if _, _, err := s.await(waiting, tracks); err != nil && ctx.Err() != nil {
		return err
	}
	return nil
}

// set changes what is told, together with the process that runs now.
func (s *sink) set(p process, change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = p
	change(&s.state)
}

func (s *sink) status() Status {
	s.mu.Lock()
	st, p := s.state, s.process
	s.mu.Unlock()
	if p != nil {
		st.add(p.Stats())
	}
	return st
}
