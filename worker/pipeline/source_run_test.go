//go:build unix

package pipeline_test

import (
	"syscall"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
)

// A moment in which the machine gives the worker no time costs no sound: all packets come, 20 ms apart.
func TestSoundOutlastsAStandstill(t *testing.T) {
	const standstill = 500 * time.Millisecond
	r := newRunner(t, t.TempDir())
	job, err := pipeline.Source("audiotestsrc is-live=true samplesperbuffer=480 ! audio/x-raw, rate=48000",
		pipeline.Encoder{}, pipeline.FindEncoder("opusenc", media.Opus), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := r.start(job)
	var out result
	packets := func(n int) {
		for range n {
			if !r.await(p, &out, worker.EventFrame, patience) {
				t.Fatalf("packet %d does not come", len(out.frames))
			}
		}
	}
	packets(10)
	signal(t, p, syscall.SIGSTOP)
	<-time.After(standstill)
	signal(t, p, syscall.SIGCONT)
	packets(50)
	for i := 2; i < len(out.frames); i++ { // the first is early by what the encoder looks ahead
		if step := time.Duration(out.frames[i].PTS - out.frames[i-1].PTS); step < 15*time.Millisecond || step > 25*time.Millisecond {
			t.Errorf("packet %d is %v behind the one before, want 20 ms", i, step)
		}
	}
}

func signal(t *testing.T, p *worker.Process, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.Stats().PID, s); err != nil {
		t.Fatal(err)
	}
}

// Each chain of a user's text may end in caps, however they are written.
func TestSourceThatEndsInCaps(t *testing.T) {
	r := newRunner(t, t.TempDir())
	for _, caps := range []string{"video/x-raw,width=640,height=360", "video/x-raw, width=640, height=360", "'video/x-raw, width=640, height=360'"} {
		job, err := pipeline.Source("videotestsrc is-live=true ! "+caps, pipeline.FindEncoder("x264enc", media.H264), pipeline.Encoder{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out result
		if !r.await(r.start(job), &out, worker.EventFrame, patience) || out.caps.Width != 640 || out.caps.Height != 360 {
			t.Errorf("%s: the picture is %+v", caps, out.caps)
		}
	}
}
