package rtpout_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
)

// J122, B12, F26: a viewer that cries for keyframes 1000 times a second makes its source hear of it twice a second,
// and gets the cached GOP again once in 5 s, in one sequence with timestamps that rise and end at live.
func TestKeyframeFlood(t *testing.T) {
	for _, codec := range videoCodecs {
		t.Run(string(codec), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the hub has a clock of its own
				s := newStage(t, codec)
				s.now = time.Now()
				s.play(50, 1000)
				s.join(hub.StartGOP)
				asked, frames := 0, 0
				for i := range 9_000 {
					s.player.WantKeyframe(s.now)
					time.Sleep(time.Millisecond)
					s.pass(time.Millisecond)
					if i%40 == 0 {
						s.sound()
						s.picture(false)
						frames++
					}
					select {
					case <-s.source.KeyframeRequests():
						asked++
					default:
					}
				}
				if asked > 18 || asked < 17 {
					t.Errorf("the source was asked %d times in 9 s", asked)
				}
				rewinds, all := 0, s.pictures()
				for i := 1; i < len(all); i++ {
					if all[i].key {
						rewinds++
					} else if all[i].number != all[i-1].number+1 {
						t.Errorf("picture %d after %d", all[i].number, all[i-1].number)
					}
					if step := int32(all[i].timestamp - all[i-1].timestamp); step <= 0 {
						t.Fatalf("timestamps go on by %d, picture %d after %d", step, all[i].number, all[i-1].number)
					}
				}
				if rewinds != 2 || all[len(all)-1].number != 50+frames {
					t.Errorf("%d rewinds, up to picture %d of %d", rewinds, all[len(all)-1].number, 50+frames)
				}
				if late := s.lateness(); late > time.Millisecond || late < -time.Millisecond {
					t.Errorf("at the end timestamps are %v ahead", late)
				}
			})
		})
	}
}

// lateness is how far the latest picture's timestamp is ahead of its time.
func (s *stage) lateness() time.Duration {
	s.t.Helper()
	video, _ := s.reports()
	all := s.of(videoSSRC)
	last := all[len(all)-1]
	return video.instant(last.Timestamp, 90000, s.now).Sub(last.at)
}

// Where the source sends the keyframe that it is asked for, nothing is sent again.
func TestKeyframesFromTheSourceNeedNoRewind(t *testing.T) {
	s := newStage(t, media.H264)
	s.play(20, 100)
	s.join(hub.StartGOP)
	s.player.WantKeyframe(s.now)
	s.playOn(4)
	s.play(20, 100)
	all := s.pictures()
	if len(all) != 44 {
		t.Errorf("%d pictures, want 44", len(all))
	}
}

// A viewer that waits for its first keyframe, of a source that does not send one when asked, gets the cached one
// after 2 s (B12).
func TestWaitingForAKeyframeEnds(t *testing.T) {
	s := newStage(t, media.H264)
	s.play(20, 100)
	s.join(hub.StartKeyframe)
	for range 60 {
		s.player.WantKeyframe(s.now)
		s.playOn(1)
		if waited := s.number - 20; (len(s.got) > 0) != (waited > 50) {
			t.Fatalf("%d packets after %d pictures", len(s.got), waited)
		}
	}
	if all := s.pictures(); all[0].number != 1 || all[len(all)-1].number != 80 || len(all) != 80 {
		t.Errorf("%d pictures, from %d to %d", len(all), all[0].number, all[len(all)-1].number)
	}
}

// A rewind in the middle of a burst would make it longer: it waits.
func TestRewindsWaitForTheBurst(t *testing.T) {
	s := newStage(t, media.H264)
	s.size = 40_000
	s.play(100, 200)
	s.join(hub.StartGOP)
	s.player.WantKeyframe(s.now)
	s.playOn(100)
	all := s.pictures()
	for i, one := range all {
		if one.key && i > 0 && (i < 125 || all[i-1].number != i) {
			t.Errorf("back to the keyframe after %d pictures, the last of which is %d", i, all[i-1].number)
		}
	}
	if last := all[len(all)-1].number; last != 200 || len(all) < 325 {
		t.Errorf("%d pictures, up to %d", len(all), last)
	}
}
