//go:build unix

package transcode

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker"
)

// J182: a plugin that fails again and again costs a moment each time. The frames go on in the same rendition, later ones
// after earlier ones, with a keyframe after each gap.
func TestPluginFailsTwice(t *testing.T) {
	var log strings.Builder
	s := newStudio(t, newWorkshop(t, Options{}), clipOf(t, media.H265), StreamOptions{
		Process: "identity error-after=60", Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	sub := s.subscribe("main:h264")
	began := time.Now()
	units := s.read(sub, media.Video, 1)
	for s.Status()[0].Restarts < 2 {
		units = append(units, s.read(sub, media.Video, 1)...)
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("it failed twice in %v, want within 8 s", took)
	}
	units = append(units, s.read(sub, media.Video, 30)...)
	for i := 1; i < len(units); i++ {
		if units[i].PTS <= units[i-1].PTS {
			t.Fatalf("a frame at %d comes after one at %d", units[i].PTS, units[i-1].PTS)
		}
	}
	if n := decoded(t, units); n != len(units) {
		t.Errorf("%d of %d pictures are decoded", n, len(units))
	}
	equal(t, "publisher", len(s.hub.Derived()), 1)
	s.stop() // nobody logs any more
	if n := strings.Count(log.String(), "identity: Failed after iterations as requested"); n < 2 {
		t.Errorf("the log tells the reason %d times, want 2:\n%s", n, &log)
	}
}

// A plugin that hangs before the first frame is killed by the deadline of the first output, told of, and tried again. It
// is not taken for one that has too much to do, and whoever watches the source itself notices nothing.
func TestPluginHangs(t *testing.T) {
	s := newStudio(t, newWorkshop(t, Options{}), clipOf(t, media.H264), StreamOptions{Process: "identity sleep-time=30000000"})
	s.subscribe("main:h264")
	source := s.subscribe("main")
	began := time.Now()
	last := s.read(source, media.Video, 1)[0]
	for all := s.Status(); len(all) == 0 || all[0].Error == ""; all = s.Status() { // a job may begin after the first picture
		u := s.read(source, media.Video, 1)[0]
		if media.Duration(u.PTS-last.PTS, u.Track.ClockRate) > time.Second {
			t.Fatalf("the source itself stood still from %d to %d", last.PTS, u.PTS)
		}
		last = u
	}
	if took := time.Since(began); took < worker.OutputDeadline || took > worker.OutputDeadline+20*time.Second {
		t.Errorf("it was given up after %v, want %v", took, worker.OutputDeadline)
	}
	told := s.Status()[0]
	if !strings.Contains(told.Error, "gave no output for 8s and was killed") || told.Reduced != "" {
		t.Errorf("it is told as %+v", told)
	}
	for s.Status()[0].Restarts == 0 {
		s.read(source, media.Video, 1)
	}
}

// A sink that hangs is ended though its process answers, told of, and started again.
func TestSinkHangsWithWorker(t *testing.T) {
	s := newStudio(t, newWorkshop(t, Options{}), clipOf(t, media.H264), StreamOptions{Sink: "identity sleep-time=60000000 ! fakesink"})
	source := s.subscribe("main")
	began := time.Now()
	for s.Status()[0].Restarts == 0 {
		s.read(source, media.Video, 1)
		if time.Since(began) > sinkPatience+20*time.Second {
			t.Fatalf("it hangs unnoticed: %+v", s.Status()[0])
		}
	}
	if told := s.Status()[0].Error; !strings.Contains(told, "took nothing of what the stream sends for 10s") {
		t.Errorf("it is told as %q", told)
	}
	if took := time.Since(began); took < sinkPatience {
		t.Errorf("it was given up after %v", took)
	}
}
