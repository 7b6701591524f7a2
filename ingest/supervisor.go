package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"sluice/hub"
	"sluice/media"
)

// errUnwanted ends an on-demand source that nobody watches any more.
var errUnwanted = errors.New("nobody watches")

// errEnded stands for the error of a source that returned none.
var errEnded = errors.New("the source ended")

// Supervisor keeps one source running: connects, tells the stream its state, and tries again when the source
// ends. Its fields are set before Run and not changed after; Run is called once.
type Supervisor struct {
	Stream    *hub.Stream
	Rendition string // what the source publishes; only the main rendition's source says the stream's state
	Source    Source
	Log       *slog.Logger // required; its attributes say which stream it is

	// OnDemand runs the source only while the stream is wanted, and CloseAfter longer.
	OnDemand   bool
	CloseAfter time.Duration

	attempts   atomic.Uint64
	failures   atomic.Uint64
	reconnects atomic.Uint64

	delays  backoff   // owned by Run
	trouble trouble   // owned by Run
	played  bool      // owned by Run: the source has published before
	retry   time.Time // owned by Run: when the next try is due
}

// Stats counts what a supervisor has done since it was started.
type Stats struct {
	Attempts   uint64 // times that the source was run
	Failures   uint64 // times that it ended by itself
	Reconnects uint64 // times that it published again after an end
}

// Stats may be called from any goroutine.
func (s *Supervisor) Stats() Stats {
	return Stats{Attempts: s.attempts.Load(), Failures: s.failures.Load(), Reconnects: s.reconnects.Load()}
}

// Run keeps the source running until ctx is done, then returns the cause.
func (s *Supervisor) Run(ctx context.Context) error {
	s.trouble.log = s.Log
	defer s.state(hub.StateIdle, nil)
	if !s.OnDemand {
		return s.keepUp(ctx)
	}
	for {
		s.state(hub.StateIdle, nil)
		if err := s.awaitWanted(ctx, true); err != nil {
			return err
		}
		if err := s.keepUpWhileWanted(ctx); !errors.Is(err, errUnwanted) {
			return err
		}
		s.delays.reset()
		if !IsPermanent(s.trouble.last) { // or viewers that come and go would lock the camera's account
			s.retry = time.Time{}
		}
	}
}

// keepUpWhileWanted returns errUnwanted once nobody has wanted the stream for CloseAfter.
func (s *Supervisor) keepUpWhileWanted(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if s.awaitUnwanted(ctx) == nil {
			cancel(errUnwanted)
		}
	}()
	err := s.keepUp(ctx)
	cancel(err)
	<-watched
	return err
}

// awaitWanted returns nil once the stream is wanted, or not wanted, as asked.
func (s *Supervisor) awaitWanted(ctx context.Context, wanted bool) error {
	for {
		changed := s.Stream.Changed()
		if s.Stream.Wanted() == wanted {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitUnwanted returns nil once the stream has not been wanted for CloseAfter without a break.
func (s *Supervisor) awaitUnwanted(ctx context.Context) error {
	for {
		if err := s.awaitWanted(ctx, false); err != nil {
			return err
		}
		pause, cancel := context.WithTimeout(ctx, s.CloseAfter)
		err := s.awaitWanted(pause, true)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return nil
		}
	}
}

// keepUp runs the source again and again until ctx is done.
func (s *Supervisor) keepUp(ctx context.Context) error {
	for s.awaitRetry(ctx) {
		err := s.attempt(ctx)
		if ctx.Err() != nil {
			break
		}
		s.failures.Add(1)
		s.trouble.failed(err)
		s.retry = time.Now().Add(s.delays.next(time.Now(), IsPermanent(err)))
	}
	return context.Cause(ctx)
}

// awaitRetry reports false if ctx was done before the next try was due.
func (s *Supervisor) awaitRetry(ctx context.Context) bool {
	pause := time.Until(s.retry)
	if pause <= 0 {
		return true
	}
	s.state(hub.StateFailed, s.trouble.last)
	return sleep(ctx, pause)
}

// attempt runs the source once and closes what it published.
func (s *Supervisor) attempt(ctx context.Context) error {
	s.attempts.Add(1)
	s.state(hub.StateConnecting, s.trouble.last)
	var publisher *hub.Publisher
	var since time.Time
	err := s.Source.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
		if publisher != nil {
			publisher.Close()
		}
		p, err := s.Stream.Publish(s.Rendition, tracks)
		if err != nil {
			return nil, err
		}
		publisher, since = p, time.Now()
		s.published()
		return p, nil
	})
	if err == nil {
		err = errEnded
	}
	if publisher != nil {
		publisher.Close()
		if time.Since(since) >= healthyPeriod {
			s.delays.reset()
		}
	}
	return err
}

func (s *Supervisor) published() {
	if s.played {
		s.reconnects.Add(1)
	}
	s.played = true
	s.state(hub.StateReady, nil)
	s.trouble.over()
}

func (s *Supervisor) state(st hub.State, why error) {
	if s.Rendition == media.MainRendition {
		s.Stream.SetState(st, why)
	}
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
