package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// start starts a job that the test feeds or listens to itself.
func (r *runner) start(job wire.Job) *worker.Process {
	r.t.Helper()
	p, err := r.pool.Start(r.ctx, worker.Spec{Job: job, Label: r.t.Name(), Start: patience})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.Close)
	return p
}

// What comes out of a user's text raw is encoded so that browsers take it.
func TestRawSourceWithWorker(t *testing.T) {
	r := newRunner(t, t.TempDir())
	for _, element := range []string{"x264enc", "openh264enc"} {
		t.Run(element, func(t *testing.T) {
			job, err := pipeline.Source("videotestsrc is-live=true ! video/x-raw,format=RGB,width=322,height=181,framerate=30/1  audiotestsrc is-live=true ! audio/x-raw,rate=44100",
				pipeline.FindEncoder(element, media.H264), pipeline.FindEncoder("opusenc", media.Opus), nil)
			if err != nil {
				t.Fatal(err)
			}
			r := r.with(t)
			p := r.start(job)
			kinds := map[uint8]wire.Caps{}
			var out result
			sounds := 0
			for len(out.frames) < 10 || sounds < 10 {
				ev, err := p.Next(r.ctx)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case ev.Kind == worker.EventCaps:
					kinds[ev.Caps.Track] = ev.Caps
				case ev.Kind == worker.EventFrame && kinds[ev.Frame.Track].Kind == media.Video:
					out.frames = append(out.frames, ev.Frame)
				case ev.Kind == worker.EventFrame && kinds[ev.Frame.Track].Codec == media.Opus:
					sounds++
				}
			}
			checkBaseline(t, out)
			if got := ffprobe(t, media.H264, out); got.frames != len(out.frames) || got.width%2+got.height%2 != 0 || got.pixels != "yuv420p" {
				t.Errorf("ffprobe sees %+v", got)
			}
		})
	}
}

// A stream goes into a user's text by name, and alone without one: a recording that ffprobe reads.
func TestSinkWithWorker(t *testing.T) {
	cache := t.TempDir()
	for name, c := range map[string]struct {
		text   func(file string) string
		tracks int
	}{
		"picture alone": {func(f string) string { return "h264parse ! mp4mux ! filesink location=" + f }, 1},
		"both": {func(f string) string {
			return "video. ! queue ! h264parse ! mp4mux name=m ! filesink location=" + f + "  audio. ! queue ! opusparse ! m."
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, cache)
			picture := r.record(pattern(24, 320, 180, "I420")+" ! x264enc tune=zerolatency ! video/x-h264,profile=main,stream-format=byte-stream,alignment=au", media.Video, media.H264)
			sound := r.record("audiotestsrc num-buffers=30 samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2 ! opusenc", media.Audio, media.Opus)
			file := filepath.Join(t.TempDir(), "out.mp4")
			job, err := pipeline.Sink(c.text(file), []media.Track{
				{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}, camera{codec: media.H264}.track(picture),
			}, []string{"filesink"})
			if err != nil {
				t.Fatal(err)
			}
			if len(job.Inputs) != c.tracks {
				t.Fatalf("it gets %+v", job.Inputs)
			}
			p := r.start(job)
			var out result
			r.await(p, &out, worker.EventReady, patience)
			for track, frames := range [][]wire.Message{camera{}.late(picture.frames), sound.frames}[:c.tracks] {
				for i := range frames {
					m := frames[i]
					m.Track = uint8(track)
					if track > 0 {
						m.PTS = int64(time.Hour) + int64(i)*int64(20*time.Millisecond)
						m.DTS = m.PTS
					}
					if !p.Write(&m) {
						t.Fatalf("frame %d of track %d was dropped", i, track)
					}
				}
			}
			p.EndOfStream()
			if !r.await(p, &out, worker.EventEOS, patience) {
				t.Fatal("the worker does not end")
			}
			p.Close()
			checkRecording(t, file, c.tracks)
		})
	}
}

func checkRecording(t *testing.T, file string, tracks int) {
	t.Helper()
	said, err := exec.Command(testworker.Tool(t, "ffprobe"), "-v", "error", "-count_frames", "-of", "json", "-show_entries", "stream=codec_name,nb_read_frames", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Frames int    `json:"nb_read_frames,string"`
		}
	}
	if err := json.Unmarshal(said, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Streams) != tracks || found.Streams[0].Codec != "h264" || found.Streams[0].Frames != 24 {
		t.Errorf("ffprobe sees %s", said)
	}
}

// J180: what the scan does not see, for it stands behind another element's property, the worker refuses.
func TestWorkerHasTheLastWord(t *testing.T) {
	r := newRunner(t, t.TempDir())
	job, err := pipeline.Source("uridecodebin uri=file:///etc/hostname", pipeline.Encoder{}, pipeline.Encoder{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := r.start(job)
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	for err == nil {
		_, err = p.Next(ctx)
	}
	if fault := (*wire.Fault)(nil); !errors.As(err, &fault) || fault.Code != wire.FaultNotAllowed {
		t.Errorf("the worker says %v, want %s", err, wire.FaultNotAllowed)
	}
}
