package rtpout_test

import (
	"maps"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
)

// A viewer who loses packets is told to wait for what it lacks, and not to once that is over; while it reports loss each
// resend goes twice.
func TestViewersWhoLosePacketsWait(t *testing.T) {
	const atOnce, forLoss = "\x00\x00\x00", "\x00\xc3\xe8"
	s := newStage(t, media.H264)
	s.play(30, 100)
	s.join(hub.StartGOP)
	s.play(20, 1000)
	s.player.Loss(0.05)
	s.play(20, 1000)
	if got := said(s.got); !maps.Equal(got, map[string]int{atOnce: 3}) {
		t.Errorf("right after the burst pictures say %v", got)
	}
	s.pass(11 * time.Second)
	for _, phase := range []struct {
		name    string
		begin   func()
		says    string
		resends int
	}{
		{"before", func() {}, atOnce, 1},
		{"with loss", func() { s.player.Loss(0.05) }, forLoss, 2},
		{"after", func() { s.pass(11 * time.Second) }, atOnce, 1},
		{"with much asked for again", s.askForMuch, forLoss, 1},
		{"after that", func() { s.pass(11 * time.Second) }, atOnce, 1},
	} {
		phase.begin()
		from := len(s.got)
		s.play(50, 1000)
		if got, want := said(s.got[from:]), map[string]int{phase.says: 1}; !maps.Equal(got, want) {
			t.Errorf("%s: pictures say %v, want %v", phase.name, got, want)
		}
		all, before := s.of(videoSSRC), s.player.Stats()
		if n := len(s.resent(all[len(all)-3].SequenceNumber)); n != phase.resends {
			t.Errorf("%s: a packet was sent again %d times, want %d", phase.name, n, phase.resends)
		}
		if st := s.player.Stats(); int(st.Resent-before.Resent) != phase.resends || st.Refused != 0 {
			t.Errorf("%s: counted %+v after %+v", phase.name, st, before)
		}
	}
}

func (s *stage) askForMuch() {
	all := s.of(videoSSRC)
	for _, p := range all[len(all)-5:] {
		s.resent(p.SequenceNumber)
	}
}

// said counts the pictures that say each playout delay.
func said(packets []packet) map[string]int {
	all := map[string]int{}
	last := uint32(0)
	for _, p := range packets {
		if e := p.GetExtension(delayID); e != nil && p.SSRC == videoSSRC && p.Timestamp != last {
			all[string(e)]++
			last = p.Timestamp
		}
	}
	return all
}
