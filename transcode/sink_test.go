package transcode

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

func TestSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "video. ! fakesink audio. ! fakesink"})
		defer s.stop()
		time.Sleep(time.Second)
		equal(t, "processes without a source", len(s.workers.started("")), 0)
		equal(t, "state", s.Status()[0].State, StateStarting)
		c := s.publish(h265, aac)
		c.send("papKapap")
		sink := s.workers.all[0]
		equal(t, "role", sink.spec.Job.Role, wire.RoleSink)
		equal(t, "given", sink.frames(), "KKpKp")
		equal(t, "isolated", sink.spec.Isolate, false)
		equal(t, "state", []any{s.Status()[0].Kind, s.Status()[0].State, s.Status()[0].In}, "[sink running 5]")
		equal(t, "viewers", s.hub.Viewers(), 0)

		sink.fail(errors.New("disk full"))
		synctest.Wait()
		c.send("pKp")
		equal(t, "given to the next", s.workers.all[1].frames(), "Kp")
		equal(t, "restarts", s.Status()[0].Restarts, 1)

		c.p.Close()
		c = s.publish(h264, aac)
		c.send("Kp")
		equal(t, "processes for another source", len(s.workers.started("")), 3)
		equal(t, "given", s.workers.all[2].frames(), "Kp")
		equal(t, "the one before has come to its end", len(s.workers.running("")), 1)
	})
}

func TestSinkWithAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "filesink location=/x"})
		defer s.stop()
		c := s.publish(h265)
		c.send("Kp")
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "processes", len(s.workers.started("")), 0)
		equal(t, "failures", s.service.Stats().Failures, 1)
		equal(t, "state", s.Status()[0].State, StateFailed)
		if s.Status()[0].Error == "" {
			t.Error("no reason")
		}
	})
}

func TestSinkThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		defer s.stop()
		c := s.publish(h265)
		c.send("Kp")
		s.workers.all[0].said <- worker.Event{Kind: worker.EventEOS}
		c.send("pKp")
		equal(t, "processes", len(s.workers.started("")), 2)
	})
}

// I24: the moment of the start gets into the text, and the sink stays while that passes.
func TestSinkWithAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink name={time}"})
		defer s.stop()
		c := s.publish(h265)
		c.send("Kp")
		time.Sleep(time.Second)
		larger := h265
		larger.Width, larger.Height = 1920, 1080
		if err := c.p.Update(larger); err != nil {
			t.Fatal(err)
		}
		c.send("pKp")
		equal(t, "processes", len(s.workers.started("")), 1)
		s.workers.all[0].fail(errors.New("disk full"))
		synctest.Wait()
		c.send("pKp")
		for i, at := range []string{"20000101T000000.040Z", "20000101T000001.280Z"} {
			if text := s.workers.all[i].spec.Job.Pipeline; !strings.Contains(text, "fakesink name="+at) {
				t.Errorf("process %d runs %q, want the moment %s in it", i, text, at)
			}
		}
	})
}

// A sink that takes nothing any more is ended though it answers, told of, and tried again.
func TestSinkHangs(t *testing.T) {
	second := "K" + strings.Repeat("p", 24)
	const hung = "gateway-gst took nothing of what the stream sends for 10s and was killed"
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		defer s.stop()
		s.workers.block(true)
		c := s.publish(h265)
		c.send(strings.Repeat(second, 9))
		equal(t, "state before", []any{s.Status()[0].State, s.Status()[0].Error}, "[running ]")
		c.send(strings.Repeat(second, 4))
		equal(t, "processes", len(s.workers.started("")), 2)
		equal(t, "of them running", len(s.workers.running("")), 1)
		equal(t, "told", []any{s.Status()[0].State, s.Status()[0].Error, s.Status()[0].Restarts}, "[running "+hung+" 1]")
		s.workers.block(false)
		c.send(strings.Repeat(second, 13))
		equal(t, "told later", []any{s.Status()[0].State, s.Status()[0].Error, s.Status()[0].Restarts}, "[running "+hung+" 2]")
		c.send(strings.Repeat(second, 12))
		equal(t, "told in the end", []any{s.Status()[0].State, s.Status()[0].Error, s.Status()[0].Restarts}, "[running  2]")
	})
}

func TestSinkThatMayWait(t *testing.T) {
	for name, c := range map[string]struct {
		sink  string
		stuck bool
		send  int // seconds of the minute that the source sends
	}{
		"for a caller":     {"mpegtsmux ! srtsink uri=srt://:7001?mode=listener", true, 60},
		"for the source":   {"fakesink", false, 1},
		"for nothing else": {"fakesink", false, 60},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Options{AllowElements: []string{"srtsink"}}, StreamOptions{Sink: c.sink})
				defer s.stop()
				s.workers.block(c.stuck)
				camera := s.publish(h265)
				for range c.send {
					camera.send("K" + strings.Repeat("p", 24))
				}
				time.Sleep(time.Minute - time.Duration(c.send)*time.Second)
				equal(t, "processes", len(s.workers.started("")), 1)
			})
		})
	}
}

// A source that changes again and again has no process start each time.
func TestSinkOfAFickleSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		defer s.stop()
		for range 20 {
			c := s.publish(h265)
			c.send("Kpppp")
			c.p.Close()
		}
		if n := len(s.workers.started("")); n < 2 || n > 5 {
			t.Errorf("%d processes in 4 s, want the back-off's 4", n)
		}
		c := s.publish(h264)
		time.Sleep(12 * time.Second)
		c.send("Kp")
		last := s.workers.running("")
		equal(t, "running in the end", len(last), 1)
		equal(t, "for what is sent", last[0].spec.Job.Inputs[0].Codec, media.H264)
		equal(t, "failures", s.service.Stats().Failures, 0)
	})
}
