package transcode

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
