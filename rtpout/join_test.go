package rtpout_test

import (
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// F24, F26: a viewer that joins in the middle of a GOP gets the pictures since its keyframe at once, a millisecond
// apart and up to live, and then those that come; none twice, none missing.
func TestJoiningFromTheCache(t *testing.T) {
	for _, codec := range videoCodecs {
		t.Run(string(codec), func(t *testing.T) {
			s := newStage(t, codec)
			s.play(150, 100)
			live := media.PTS(s.now.Add(-40*time.Millisecond), 90000)
			s.join(hub.StartGOP)
			s.play(60, 50)
			all := s.pictures()
			if len(all) != 110 || !all[0].key {
				t.Fatalf("%d pictures, the first is a keyframe: %v", len(all), all[0].key)
			}
			for i, one := range all {
				want := uint32(live) - uint32(49-i)*90
				if i >= 50 {
					want = uint32(live) + uint32(i-49)*3600
				}
				if off := one.timestamp - all[0].timestamp; one.number != 101+i || off != want-(uint32(live)-49*90) {
					t.Fatalf("picture %d has number %d and timestamp %d after the first", i, one.number, off)
				}
			}
		})
	}
}

// F24: sound begins at live, ahead of the burst of pictures, and is in step with them by the sender reports.
func TestSoundStartsAtLive(t *testing.T) {
	s := newStage(t, media.H264)
	s.size = 40_000 // so that the burst takes a while
	s.play(90, 100)
	joined := s.now
	s.join(hub.StartGOP)
	s.play(20, 20)
	sounds := s.of(audioSSRC)
	if len(sounds) != 40 {
		t.Fatalf("%d packets of sound", len(sounds))
	}
	video, audio := s.reports()
	for i, p := range sounds {
		moment := joined.Add(time.Duration(i) * 20 * time.Millisecond)
		if got := audio.instant(p.Timestamp, 48000, s.now); abs(int64(got.Sub(moment))) > int64(time.Millisecond) {
			t.Errorf("sound %d of %v is said to be of %v", i, moment, got)
		}
		if p.at != moment {
			t.Errorf("sound %d waited for %v", i, p.at.Sub(moment))
		}
	}
	last := s.pictures()
	at := last[len(last)-1]
	if got, want := video.instant(at.timestamp, 90000, s.now), s.now.Add(-40*time.Millisecond); abs(int64(got.Sub(want))) > int64(time.Millisecond) {
		t.Errorf("the picture of %v is said to be of %v", want, got)
	}
}

// A viewer may join a stream whose newest picture is old, and one that is not there yet; it goes on over a reboot of
// the camera, and one that joins after that gets the cached pictures of the new life.
func TestStreamsThatStopAndComeBack(t *testing.T) {
	for _, codec := range videoCodecs {
		t.Run(string(codec), func(t *testing.T) {
			s := newStage(t, codec)
			s.play(10, 100)
			s.pass(5 * time.Second)
			s.join(hub.StartGOP)
			s.pass(time.Second)
			if n := len(s.pictures()); n != 10 {
				t.Errorf("%d pictures of a source that has stopped", n)
			}
			s.source.Close()
			s.pass(20 * time.Second)
			s.publish()
			s.picture(false) // cameras begin where they are
			s.play(10, 100)
			all := s.pictures()
			if len(all) != 20 || !all[10].key || all[10].number != 12 {
				t.Errorf("%d pictures: %+v", len(all), all[10])
			}
			step := int32(all[10].timestamp - all[9].timestamp) // the time that went by
			if want := int32(26*90000 + 3600); step != want {
				t.Errorf("timestamps go on by %d, want %d", step, want)
			}
			s.got = nil
			s.join(hub.StartGOP)
			s.play(5, 100)
			if all := s.pictures(); len(all) != 15 || all[0].number != 12 {
				t.Errorf("a new viewer gets %d pictures", len(all))
			}
		})
	}
}

// F24: nothing to begin with in the ring, or a stream that is to start with the next keyframe, which is asked for.
func TestJoiningAtTheNextKeyframe(t *testing.T) {
	for name, c := range map[string]struct {
		start  hub.Start
		before func(s *stage)
	}{
		"chosen":                     {hub.StartKeyframe, func(s *stage) { s.play(20, 100) }},
		"a GOP longer than the ring": {hub.StartGOP, func(s *stage) { s.play(20, 100); s.playOn(400) }},
		"no publisher yet":           {hub.StartGOP, func(s *stage) { s.source.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, media.H264)
			c.before(s)
			s.join(c.start)
			if name == "no publisher yet" {
				s.publish()
			} else if len(s.source.KeyframeRequests()) != 1 {
				t.Error("no keyframe is asked for")
			}
			first := s.number + 5
			s.playOn(5)
			if len(s.got) != 0 {
				t.Fatalf("%d packets before the keyframe", len(s.got))
			}
			s.play(10, 100)
			if all := s.pictures(); len(all) != 10 || all[0].number != first || len(s.of(audioSSRC)) == 0 {
				t.Errorf("%d pictures and %d sounds", len(all), len(s.of(audioSSRC)))
			}
		})
	}
}

// playOn lets the camera run without a keyframe.
func (s *stage) playOn(pictures int) {
	s.t.Helper()
	for range pictures {
		s.sound()
		s.picture(false)
		s.pass(40 * time.Millisecond)
	}
}

// Sound without pictures is live at once, whatever the start.
func TestJoiningSoundAlone(t *testing.T) {
	for _, start := range []hub.Start{hub.StartKeyframe, hub.StartGOP} {
		s := newStage(t, media.H264)
		s.source.Close()
		_, audio := s.tracks()
		source, err := s.stream.Publish("main", []media.Track{audio})
		if err != nil {
			t.Fatal(err)
		}
		s.source = source
		for range 50 {
			s.sound()
			s.pass(20 * time.Millisecond)
		}
		s.join(start)
		early := len(s.got)
		s.sound()
		if early > 1 || len(s.got) != early+1 {
			t.Errorf("%d packets before, %d after", early, len(s.got)-early)
		}
	}
}

// F20: with header extension, number of the original and the tag of SRTP, a datagram stays within 1228 bytes, and so
// within the 1280 of any IPv6 path.
func TestLargestDatagram(t *testing.T) {
	const tag, ipv6AndUDP = 16, 48
	if n := rtpout.MaxPacket + tag; n > 1228 || n+ipv6AndUDP > 1280 {
		t.Errorf("datagrams of %d bytes", n)
	}
}
