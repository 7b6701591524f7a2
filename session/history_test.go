package session

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/transport"
)

// A session that never connected is told of once, and remembered for ten minutes with all that is known of it. One that
// was connected, one that left at once and one that was sent away are not.
func TestWhoNeverConnected(t *testing.T) {
	onBench(t, Terms{Publish: true}, Options{}, func(b *bench) {
		var said bytes.Buffer
		b.log = slog.New(slog.NewTextHandler(&said, nil))
		b.source("main", picture)
		s, link := b.play(PlayRequest{RemoteAddress: "198.51.100.9:5000"})
		link.mu.Lock()
		link.seen.Checks = transport.Checks{Received: 9, Answered: 9}
		link.mu.Unlock()
		time.Sleep(time.Second)
		b.play(PlayRequest{}) // is still connecting then
		left, _ := b.play(PlayRequest{})
		left.Close()
		gone, ready := b.play(PlayRequest{})
		ready.connect()
		synctest.Wait()
		gone.Close()
		if all := b.Ended(); len(all) != 0 {
			t.Fatalf("%+v", all)
		}
		<-s.Done()
		synctest.Wait()
		all := b.Ended()
		if len(all) != 1 || all[0].ID != s.ID() || all[0].State != StateClosed || all[0].RemoteAddress != "198.51.100.9:5000" || all[0].Verdict.Reason != CauseNotAnswered {
			t.Fatalf("%+v", all)
		}
		if v := s.Verdict(); v.Reason != CauseNotAnswered || v.State != StateClosed {
			t.Errorf("%+v", v)
		}
		time.Sleep(historyLife)
		if all := b.Ended(); len(all) != 1 || all[0].ID == s.ID() {
			t.Errorf("%d are remembered", len(all))
		}
		b.Close()
		line := `msg="viewer never connected" stream=cam session=` + ShortID(s.ID()) + " reason=arrived_not_answered why="
		if strings.Count(said.String(), line) != 1 || !strings.Contains(said.String(), "advice=") || strings.Contains(said.String(), s.ID()) {
			t.Errorf("it is said:\n%s", said.String())
		}
	})
}

// A publisher likewise; and what a shutdown ends is no trouble of anybody's connection.
func TestPublisherNeverConnected(t *testing.T) {
	onBench(t, Terms{Publish: true}, Options{}, func(b *bench) {
		s, _ := b.publish("", publisherOffer)
		if v := s.Verdict(); v.Reason != "" || v.State != StateConnecting {
			t.Errorf("at once: %+v", v)
		}
		time.Sleep(tooEarly)
		if v := s.Verdict(); v.Reason != CauseNothingAnnounced {
			t.Errorf("after a while: %+v", v)
		}
		<-s.Done()
		b.publish("", publisherOffer)
		b.Close()
		if all := b.Ended(); len(all) != 1 || all[0].Role != RolePublish || all[0].Verdict.Reason != CauseNothingAnnounced {
			t.Errorf("%+v", all)
		}
	})
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	now := time.Unix(1e9, 0)
	for i := range historySize + 5 {
		h.add(Info{Stream: string(rune('a' + i%26))}, now.Add(time.Duration(i)*time.Second))
	}
	end := now.Add((historySize + 5) * time.Second)
	if n := len(h.list(end)); n != historySize {
		t.Errorf("%d are remembered", n)
	}
	if n := len(h.list(end.Add(historyLife - 10*time.Second))); n != 9 {
		t.Errorf("%d are remembered, of which most are too old", n)
	}
}
