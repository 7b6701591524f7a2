package rtpout_test

import (
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// checkPace holds every window of what was sent to rate bit/s and 64 packets: a bucket of that size never runs over.
func checkPace(t *testing.T, packets []packet, rate int) {
	t.Helper()
	level, at := 0.0, packets[0].at
	for i, p := range packets {
		level = max(0, level-p.at.Sub(at).Seconds()*float64(rate)/8) + float64(len(p.raw))
		if at = p.at; level > 64*rtpout.MaxPacket+1 {
			t.Fatalf("%.0f bytes at once after %d packets", level, i)
		}
	}
}

// F24: a burst begins with 64 packets at once and goes on at its pace until live; the pace is kept in every window.
func TestBurstsArePaced(t *testing.T) {
	for name, c := range map[string]struct {
		pace, rate int // bit/s
	}{
		"the default": {0, 30_000_000},
		"chosen":      {20_000_000, 20_000_000},
		"twice that of the source, if that is more": {3_000_000, 16_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, media.H264)
			s.size = 40_000 // 8 Mbit/s
			s.play(95, 100)
			joined := s.now
			s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Start: hub.StartGOP, PaceBits: c.pace}, s.outgoing())
			if n := len(s.got); n < 60 || n > 66 {
				t.Errorf("%d packets at once", n)
			}
			s.playOn(100)
			packets := s.of(videoSSRC)
			checkPace(t, packets, c.rate*102/100) // the source is measured
			if n := len(s.pictures()); n != 195 {
				t.Fatalf("%d pictures", n)
			}
			// What is cached, and what comes meanwhile, at the pace.
			least := time.Duration(float64(95*40_000*8) / float64(c.rate-8_000_000) * float64(time.Second))
			for _, one := range s.pictures() {
				sent := one.packets[len(one.packets)-1].at
				if one.number > 95 && sent.Sub(joined) > least*11/10 {
					if written := joined.Add(time.Duration(one.number-96) * 40 * time.Millisecond); sent != written {
						t.Fatalf("picture %d is sent %v late", one.number, sent.Sub(written))
					}
				}
				if one.number == 95 && sent.Sub(joined) > least {
					t.Errorf("the burst takes %v", sent.Sub(joined))
				}
			}
		})
	}
}

// Pictures that come at the rate of the source go at once, even those of 64 packets, at rates above the pace.
func TestSteadyPicturesAreNotHeldUp(t *testing.T) {
	for _, size := range []int{100, 10_000, 75_000} { // 15 Mbit/s
		s := newStage(t, media.H264)
		s.size = size
		s.play(60, 100)
		s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", PaceBits: 1_000_000}, s.outgoing())
		for range 200 {
			s.player.Loss(0.2)
			before := len(s.got)
			s.picture(true)
			if n := (size + rtpout.MaxPayload - 1) / rtpout.MaxPayload; len(s.got)-before < n {
				t.Fatalf("%d packets of a picture of %d bytes", len(s.got)-before, size)
			}
			s.pass(40 * time.Millisecond)
		}
	}
}

// Loss above 5 % halves the pace for a second, twice at most.
func TestLossSlowsBurstsDown(t *testing.T) {
	for name, c := range map[string]struct {
		loss []float64
		rate int
	}{
		"little":    {[]float64{0.05}, 30_000_000},
		"once":      {[]float64{0.06}, 15_000_000},
		"twice":     {[]float64{0.5, 0.5}, 7_500_000},
		"all along": {[]float64{1, 1, 1, 1}, 7_500_000},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, media.H264)
			s.size = 60_000
			for range 50 { // at once, so that the source has no rate yet
				s.picture(s.number == 1)
			}
			s.join(hub.StartGOP)
			s.pass(0)
			for _, f := range c.loss {
				s.player.Loss(f)
			}
			at := len(s.got)
			s.pass(500 * time.Millisecond)
			bytes := 0
			for _, p := range s.got[at:] {
				bytes += len(p.raw)
			}
			if want := c.rate / 16; bytes > want*101/100 || bytes < want*99/100 {
				t.Errorf("%d bytes in half a second, want %d", bytes, want)
			}
			checkPace(t, s.of(videoSSRC), 30_000_000)
			s.pass(600 * time.Millisecond)
			at = len(s.got)
			s.pass(100 * time.Millisecond)
			if c.rate < 30_000_000 && len(s.got)-at < 290 { // 30 Mbit/s again
				t.Errorf("%d packets in 100 ms after it was over", len(s.got)-at)
			}
		})
	}
}
