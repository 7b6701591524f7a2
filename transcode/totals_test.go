package transcode

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// What is counted for Prometheus never falls: neither when a process ends and another one goes on, nor with the job.
func TestTotalsOutliveProcessesAndJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{Linger: time.Second}, StreamOptions{})
		defer s.stop()
		c := s.publish(h265, aac)
		v := s.read("main:h264+opus")
		c.send("Kpapa")
		equal(t, "at first", sums(s), "[video h264: 3 in, 0 restarts audio opus: 2 in, 0 restarts]")
		s.workers.running("h264")[0].fail(errors.New("crashed"))
		synctest.Wait()
		equal(t, "after a crash, with what it had of the cached GOP", sums(s), "[video h264: 6 in, 1 restarts audio opus: 2 in, 0 restarts]")
		equal(t, "of the job", []any{s.Status()[0].In, s.Status()[0].PID}, "[6 1]")
		v.Close()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		equal(t, "jobs", len(s.Status()), 0)
		equal(t, "after the jobs", sums(s), "[video h264: 6 in, 1 restarts audio opus: 2 in, 0 restarts]")

		v = s.read("main:h264")
		defer v.Close()
		c.send("Kp")
		equal(t, "of another job", s.Totals()[0].In > 6, true)
		equal(t, "kept of", len(s.ledger.live), 1)
	})
}

func TestTotalsOfASink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Sink: "fakesink"})
		defer s.stop()
		c := s.publish(h265)
		c.send("Kp")
		equal(t, "at first", sums(s), "[sink : 2 in, 0 restarts]")
		s.workers.running("")[0].fail(errors.New("disk full"))
		synctest.Wait()
		c.send("Kp")
		equal(t, "after a crash", sums(s), "[sink : 4 in, 1 restarts]")
		equal(t, "of the sink's status", s.Status()[0].In, 4)
	})
}

func sums(s *stage) (all []string) {
	for _, t := range s.Totals() {
		all = append(all, fmt.Sprintf("%s %s: %d in, %d restarts", t.Kind, t.Codec, t.In, t.Restarts))
	}
	return all
}
