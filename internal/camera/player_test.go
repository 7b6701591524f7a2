package camera

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/bitstream"
	"sluice/media"
)

// fakeSink notes what the player does, and when.
type fakeSink struct {
	start   time.Time
	sends   []sent
	reports []time.Duration
	onSend  func(track int) error
}

type sent struct {
	track int
	pts   int64
	at    time.Duration
}

func (f *fakeSink) send(track int, pts int64, _ [][]byte) error {
	f.sends = append(f.sends, sent{track, pts, time.Since(f.start)})
	if f.onSend != nil {
		return f.onSend(track)
	}
	return nil
}

func (f *fakeSink) report(elapsed time.Duration) error {
	f.reports = append(f.reports, elapsed)
	return nil
}

// play runs a player for so long and returns what it did.
func play(t *testing.T, p player, f *fakeSink, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	f.start = time.Now()
	p.sink = f
	return p.run(ctx, f.start)
}

// checkPace checks that each track's units have times without gap, and came when they were due.
func checkPace(t *testing.T, f *fakeSink, clip *Clip, steps []int64) {
	t.Helper()
	next := make([]int64, len(clip.Tracks))
	for _, s := range f.sends {
		if s.pts != next[s.track] {
			t.Fatalf("track %d: PTS %d instead of %d", s.track, s.pts, next[s.track])
		}
		due := media.Duration(s.pts, clip.Tracks[s.track].ClockRate)
		if s.at < due || s.at > due+time.Microsecond {
			t.Fatalf("track %d: PTS %d sent at %v instead of %v", s.track, s.pts, s.at, due)
		}
		next[s.track] += steps[s.track]
	}
}

func TestPlayerLoopsWithoutSeamOrDrift(t *testing.T) {
	clip, err := DemoClip()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSink{}
		err := play(t, player{clip: clip, reportEvery: 5 * time.Second}, f, time.Hour+time.Millisecond)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v", err)
		}
		checkPace(t, f, clip, []int64{3000, 960})
		if want := 3600*80 + 2; len(f.sends) != want {
			t.Errorf("%d units in an hour, want %d", len(f.sends), want)
		}
		if len(f.reports) != 720 || f.reports[719] != time.Hour {
			t.Errorf("%d reports", len(f.reports))
		}
	})
}

// A period that is not a whole number of ticks must not add up to an error either.
func TestPlayerPeriodOfBrokenTicks(t *testing.T) {
	clip := &Clip{Tracks: []Track{
		{Track: media.Track{ClockRate: 90000}, Units: []Unit{{}}, Period: 1001 * time.Second / 30000},
		{Track: media.Track{ClockRate: 44100}, Units: []Unit{{}}, Period: 1024 * time.Second / 44100},
	}}
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSink{}
		_ = play(t, player{clip: clip, reportEvery: time.Hour}, f, 10*time.Minute)
		for _, s := range f.sends {
			due := media.Duration(s.pts, clip.Tracks[s.track].ClockRate)
			if off := s.at - due; off < 0 || off > 25*time.Microsecond {
				t.Fatalf("track %d: PTS %v sent at %v", s.track, due, s.at)
			}
		}
		if len(f.sends) < 40000 {
			t.Errorf("%d units", len(f.sends))
		}
	})
}

func TestPlayerOnce(t *testing.T) {
	clip := testClip(t, media.VP8)
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSink{}
		err := play(t, player{clip: clip, once: true, reportEvery: time.Hour}, f, time.Minute)
		if err != nil || len(f.sends) != 50 {
			t.Errorf("%d units, error %v", len(f.sends), err)
		}
	})
}

// A machine that stood still makes the camera leave out what is late, not send it in a burst, and go on with a keyframe.
func TestPlayerLeavesOutWhatIsLate(t *testing.T) {
	clip := testClip(t, media.VP8)
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSink{}
		f.onSend = func(int) error {
			if len(f.sends) == 10 {
				time.Sleep(5 * time.Second)
			}
			return nil
		}
		_ = play(t, player{clip: clip, reportEvery: time.Hour}, f, 10*time.Second)
		for i, s := range f.sends {
			if late := s.at - media.Duration(s.pts, 90000); late > maxLate {
				t.Fatalf("PTS %d sent %v late", s.pts, late)
			}
			unit := clip.Tracks[0].Units[s.pts/3600%50]
			if i > 0 && s.pts != f.sends[i-1].pts+3600 && !bitstream.Keyframe(media.VP8, unit.Data) {
				t.Errorf("PTS %d follows %d and is no keyframe", s.pts, f.sends[i-1].pts)
			}
		}
		if n := len(f.sends); n < 110 || n > 160 {
			t.Errorf("%d units; 100 of 250 should be missing, and what comes before the next keyframe", n)
		}
	})
}

func TestPlayerEndsWithItsSink(t *testing.T) {
	clip := testClip(t, media.VP8)
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		f := &fakeSink{onSend: func(int) error { return broken }}
		if err := play(t, player{clip: clip, reportEvery: time.Hour}, f, time.Minute); !errors.Is(err, broken) || len(f.sends) != 1 {
			t.Errorf("%d units, error %v", len(f.sends), err)
		}
	})
}

func TestNTPTime(t *testing.T) {
	for name, c := range map[string]struct {
		t    time.Time
		want uint64
	}{
		"unix epoch":  {time.Unix(0, 0), 2208988800 << 32},
		"half second": {time.Unix(1, 5e8), 2208988801<<32 | 1<<31},
		"last nano":   {time.Unix(0, 999_999_999), 2208988800<<32 | 4294967291},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ntpTime(c.t); got != c.want {
				t.Errorf("%x, want %x", got, c.want)
			}
		})
	}
}
