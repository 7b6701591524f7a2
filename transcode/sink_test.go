package transcode

import (
	"errors"
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
