package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errRefused = errors.New("the camera refuses the connection")
	tracks     = []media.Track{{ID: "video", Kind: media.Video, Codec: media.H264, ClockRate: 90000}}
)

// fakeSource is a source whose run is a script.
type fakeSource struct {
	run func(ctx context.Context, publish Publish) error

	mu     sync.Mutex
	starts []time.Time // guarded by mu
}

func (f *fakeSource) Run(ctx context.Context, publish Publish) error {
	f.mu.Lock()
	f.starts = append(f.starts, time.Now())
	f.mu.Unlock()
	return f.run(ctx, publish)
}

func (f *fakeSource) started() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.starts...)
}

// fails is a run that fails at once.
func fails(err error) func(context.Context, Publish) error {
	return func(context.Context, Publish) error { return err }
}

// playsFor is a run that publishes, and after d fails.
func playsFor(d time.Duration, err error) func(context.Context, Publish) error {
	return func(ctx context.Context, publish Publish) error {
		if _, err := publish(tracks); err != nil {
			return err
		}
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// logLines collects what the log is told.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logLines) count(parts ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			n++
		}
	}
	return n
}

// supervised runs a supervisor until the test ends.
func supervised(t *testing.T, s *Supervisor) (*Supervisor, *logLines) {
	t.Helper()
	stream, err := hub.New(hub.Options{RingMaxAge: time.Second, RingMaxBytes: 1 << 20}).Create("camera")
	if err != nil {
		t.Fatal(err)
	}
	log := &logLines{}
	s.Stream, s.Log = stream, slog.New(slog.NewTextHandler(log, nil))
	if s.Rendition == "" {
		s.Rendition = media.MainRendition
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v, want %v", err, context.Canceled)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s, log
}

// gaps is the pauses between starts.
func gaps(starts []time.Time) []time.Duration {
	var all []time.Duration
	for i := range starts[1:] {
		all = append(all, starts[i+1].Sub(starts[i]))
	}
	return all
}

func within(d, around time.Duration) bool {
	return d >= around*8/10 && d <= around*12/10
}

// E3
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{run: fails(errRefused)}
		supervised(t, &Supervisor{Source: f})
		time.Sleep(3 * time.Minute)
		synctest.Wait()

		var elapsed time.Duration
		for i, gap := range gaps(f.started()) {
			switch {
			case i == 0:
				if !within(gap, 500*time.Millisecond) {
					t.Errorf("first pause is %v, want 0.5 s", gap)
				}
			case elapsed < time.Minute:
				if !within(gap, time.Second) {
					t.Errorf("pause after %v is %v, want 1 s", elapsed, gap)
				}
			case elapsed > 95*time.Second:
				if !within(gap, 15*time.Second) {
					t.Errorf("pause after %v is %v, want 15 s", elapsed, gap)
				}
			}
			elapsed += gap
		}
		if elapsed < 2*time.Minute {
			t.Errorf("tried for %v only", elapsed)
		}
	})
}

// E3
func TestJitter(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 100 {
		d := spread(time.Second)
		if !within(d, time.Second) {
			t.Fatalf("pause %v is more than a fifth away from 1 s", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different pauses in 100: all cameras come back at once", len(seen))
	}
}

// E3
func TestBackoffIsForgottenAfterHealth(t *testing.T) {
	for name, c := range map[string]struct{ healthy, next time.Duration }{
		"a minute of media": {61 * time.Second, 500 * time.Millisecond},
		"some seconds":      {10 * time.Second, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeSource{}
				f.run = func(ctx context.Context, publish Publish) error {
					if len(f.started()) == 80 {
						return playsFor(c.healthy, errRefused)(ctx, publish)
					}
					return errRefused
				}
				supervised(t, &Supervisor{Source: f})
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				starts := f.started()
				if len(starts) < 82 {
					t.Fatalf("only %d tries", len(starts))
				}
				if pause := starts[80].Sub(starts[79]) - c.healthy; !within(pause, c.next) {
					t.Errorf("pause after the loss is %v, want %v", pause, c.next)
				}
			})
		})
	}
}

// E21
func TestPermanentErrorsAreRetriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{run: fails(Permanent(errRefused))}
		s, _ := supervised(t, &Supervisor{Source: f})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		for _, gap := range gaps(f.started()) {
			if gap < time.Minute || gap > 2*time.Minute {
				t.Errorf("pause is %v, want a minute or a bit more", gap)
			}
		}
		if st, why := s.Stream.State(); st != hub.StateFailed || !errors.Is(why, errRefused) {
			t.Errorf("state %q (%v), want failed (%v)", st, why, errRefused)
		}
	})
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *Supervisor
		known := make(chan struct{}) // closed when s is set
		look := func(want hub.State, why error) {
			t.Helper()
			<-known
			if st, err := s.Stream.State(); st != want || !errors.Is(err, why) {
				t.Errorf("state %q (%v), want %q (%v)", st, err, want, why)
			}
		}
		wait := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		f := &fakeSource{}
		f.run = func(ctx context.Context, publish Publish) error {
			switch len(f.started()) {
			case 1:
				look(hub.StateConnecting, nil)
				return errRefused
			case 2:
				look(hub.StateConnecting, errRefused) // the reason is kept
			}
			return playsFor(5*time.Second, errRefused)(ctx, publish)
		}
		s, _ = supervised(t, &Supervisor{Source: f})
		close(known)
		wait(100 * time.Millisecond)
		look(hub.StateFailed, errRefused)
		wait(time.Second)
		look(hub.StateReady, nil)
		wait(6 * time.Second)
		look(hub.StateReady, nil)
		if got := s.Stats(); got.Attempts != 3 || got.Failures != 2 || got.Reconnects != 1 {
			t.Errorf("stats are %+v, want 3 attempts, 2 failures, 1 reconnect", got)
		}
	})
}

func TestOtherRenditionsLeaveTheStateAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := supervised(t, &Supervisor{Source: &fakeSource{run: playsFor(time.Hour, nil)}, Rendition: "sub"})
		time.Sleep(time.Second)
		if st, _ := s.Stream.State(); st != hub.StateIdle {
			t.Errorf("state is %q, want it untouched", st)
		}
		if s.Stream.Tracks("sub") == nil {
			t.Error("the rendition is not published")
		}
	})
}

func TestPublisherIsClosedWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{}
		f.run = func(ctx context.Context, publish Publish) error {
			if len(f.started()) > 1 {
				return errRefused
			}
			for range 2 { // tracks that change close the earlier publisher
				if _, err := publish(tracks); err != nil {
					t.Errorf("publish: %v", err)
				}
			}
			return nil // counts as an end too
		}
		s, _ := supervised(t, &Supervisor{Source: f})
		time.Sleep(time.Second)
		synctest.Wait()
		if s.Stream.Tracks(media.MainRendition) != nil {
			t.Error("still published after the source has ended")
		}
	})
}

func TestOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{run: playsFor(time.Hour, nil)}
		s, _ := supervised(t, &Supervisor{Source: f, OnDemand: true, CloseAfter: 10 * time.Second})
		step := func(after time.Duration, want hub.State, runs int) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if st, _ := s.Stream.State(); st != want || len(f.started()) != runs {
				t.Errorf("state %q after %d runs, want %q after %d", st, len(f.started()), want, runs)
			}
		}
		step(time.Hour, hub.StateIdle, 0)
		release := s.Stream.Want()
		step(time.Second, hub.StateReady, 1)
		release()
		step(9*time.Second, hub.StateReady, 1)
		release = s.Stream.Want() // back in time
		step(time.Minute, hub.StateReady, 1)
		release()
		step(11*time.Second, hub.StateIdle, 1)
		defer s.Stream.Want()()
		step(time.Second, hub.StateReady, 2)
	})
}

func TestOnDemandGivesUpTryingWhenUnwanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{run: fails(Permanent(errRefused))}
		s, _ := supervised(t, &Supervisor{Source: f, OnDemand: true, CloseAfter: time.Second})
		release := s.Stream.Want()
		time.Sleep(time.Second)
		release()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if st, _ := s.Stream.State(); st != hub.StateIdle {
			t.Errorf("state is %q, want idle", st)
		}
	})
}

// E21: viewers who come and go do not make the gateway try a wrong password again and again.
func TestOnDemandKeepsAwayAfterPermanentErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		tries int // in five minutes
	}{
		"a wrong password": {Permanent(errRefused), 5},
		"another error":    {errRefused, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeSource{run: fails(c.err)}
				s, _ := supervised(t, &Supervisor{Source: f, OnDemand: true, CloseAfter: 100 * time.Millisecond})
				for range 60 {
					release := s.Stream.Want()
					time.Sleep(200 * time.Millisecond)
					if st, why := s.Stream.State(); st != hub.StateFailed || !errors.Is(why, errRefused) {
						t.Fatalf("a viewer sees state %q (%v), want failed (%v)", st, why, errRefused)
					}
					release()
					time.Sleep(4800 * time.Millisecond)
				}
				if n := len(f.started()); n > c.tries || n < c.tries/2 {
					t.Errorf("%d tries in five minutes, want %d at most", n, c.tries)
				}
			})
		})
	}
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSource{}
		f.run = func(ctx context.Context, publish Publish) error {
			switch n := len(f.started()); {
			case n <= 100:
				return errRefused
			case n == 101:
				return fmt.Errorf("something else")
			}
			return playsFor(time.Hour, nil)(ctx, publish)
		}
		_, log := supervised(t, &Supervisor{Source: f})
		time.Sleep(time.Second)
		if got := log.count("WARN", errRefused.Error()); got != 1 {
			t.Errorf("the first failures made %d lines, want 1", got)
		}
		time.Sleep(55 * time.Minute)
		synctest.Wait()
		if got := log.count("WARN", errRefused.Error(), "repeats="); got < 5 || got > 15 {
			t.Errorf("repeats made %d lines, want one a minute", got)
		}
		if got := log.count("WARN", "something else"); got != 1 {
			t.Errorf("another error made %d lines, want 1", got)
		}
		if got := log.count("INFO", "back"); got != 1 {
			t.Errorf("the recovery made %d lines, want 1", got)
		}
	})
}

func TestPermanent(t *testing.T) {
	if Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
	err := fmt.Errorf("play: %w", Permanent(errRefused))
	if !IsPermanent(err) || !errors.Is(err, errRefused) || err.Error() != "play: "+errRefused.Error() {
		t.Errorf("Permanent hides its error: %v", err)
	}
	if IsPermanent(errRefused) {
		t.Error("any error is permanent")
	}
}
