package rtpout_test

import (
	"errors"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// A viewer that was not read for longer than the ring holds goes on at a keyframe, up to live (F24), and without a gap
// (F26).
func TestFallingOutOfTheRing(t *testing.T) {
	s := newStage(t, media.H264)
	s.join(hub.StartKeyframe)
	s.play(10, 100)
	player := s.player
	s.player = nil
	s.play(250, 50)
	s.player = player
	s.play(10, 100)
	all := s.pictures()
	if len(all) != 70 || !all[10].key || all[10].number != 211 {
		t.Fatalf("%d pictures, then a keyframe, %v, of number %d", len(all), all[10].key, all[10].number)
	}
	for i := 11; i < 70; i++ {
		if step := int32(all[i].timestamp - all[i-1].timestamp); all[i].number != all[i-1].number+1 || step != 90 && step != 3600 {
			t.Errorf("picture %d comes %d ticks after %d", all[i].number, step, all[i-1].number)
		}
	}
	if late := s.lateness(); late < -time.Millisecond || late > time.Millisecond {
		t.Errorf("timestamps are %v ahead", late)
	}
	if s.player.Subscriber().Dropped()[hub.DropTooSlow] == 0 {
		t.Error("nothing counts as dropped")
	}
}

// F26, F32: over changes of rendition there and back, with keyframes that are cached, numbers have no gap and
// timestamps rise. A rendition that is new is checked, and told of.
func TestPlayingOneRenditionAfterTheOther(t *testing.T) {
	for _, codec := range videoCodecs {
		t.Run(string(codec), func(t *testing.T) {
			s := newStage(t, codec)
			video, _ := s.tracks()
			low, err := s.stream.Publish("low", []media.Track{video})
			if err != nil {
				t.Fatal(err)
			}
			var checked, moved int
			f := rtpout.Feed{
				Stream: s.stream, Rendition: "main", Start: hub.StartGOP,
				Check: func(*media.Track) error { checked++; return nil }, Moved: func() { moved++ },
			}
			s.play(20, 100)
			s.joinWith(f, s.outgoing()[:1])
			for i := range 100 {
				s.number = 100 + i
				s.picture(i%10 == 0)
				s.number = 100 + i
				s.pictureTo(low, i%10 == 3)
				s.pass(40 * time.Millisecond)
				if i%25 == 10 {
					s.player.Subscriber().SelectRendition([]string{"low", "main"}[i/25%2])
				}
			}
			if checked != 5 || moved != 5 {
				t.Errorf("%d tracks checked, %d moves", checked, moved)
			}
			all := s.pictures()
			for i := 1; i < len(all); i++ {
				if step := int32(all[i].timestamp - all[i-1].timestamp); step <= 0 || !all[i].key && all[i].number != all[i-1].number+1 && all[i].number != 100 {
					t.Errorf("picture %d comes %d ticks after %d", all[i].number, step, all[i-1].number)
				}
			}
			if len(all) < 115 {
				t.Errorf("%d pictures", len(all))
			}
		})
	}
}

var errUnfit = errors.New("unfit")

// A track that may not be sent ends it, and so does the end of the stream; of what was not negotiated, or has no
// payload format, nothing is sent.
func TestWhatEndsAPlayer(t *testing.T) {
	s := newStage(t, media.H264)
	unfit := false
	check := func(tr *media.Track) error {
		if unfit && tr.Kind == media.Video {
			return errUnfit
		}
		return nil
	}
	s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Check: check}, s.outgoing())
	s.play(3, 100)
	unfit = true
	s.play(3, 100) // asked only when the track changes
	player := s.player
	s.player = nil
	video, _ := s.tracks()
	video.Width = 640
	if err := s.source.Update(video); err != nil {
		t.Fatal(err)
	}
	s.picture(true)
	if n, err := player.Next(s.now, s.buf[:]); n != 0 || !errors.Is(err, errUnfit) {
		t.Errorf("%d bytes, %v", n, err)
	}
	player.Close()
	player.Close()
	if n, err := player.Next(s.now, s.buf[:]); n != 0 || !errors.Is(err, hub.ErrClosed) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestWhatIsNotSent(t *testing.T) {
	s := newStage(t, media.MJPEG)
	s.play(1, 100)
	s.join(hub.StartGOP)
	s.play(10, 100)
	if v, a := len(s.of(videoSSRC)), len(s.of(audioSSRC)); v != 0 || a != 20 {
		t.Errorf("%d packets of MJPEG, %d of sound", v, a)
	}
	s = newStage(t, media.H264)
	s.play(10, 100)
	s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Start: hub.StartGOP}, s.outgoing()[1:])
	s.play(10, 100)
	if v, a := len(s.of(videoSSRC)), len(s.of(audioSSRC)); v != 0 || a != 20 {
		t.Errorf("%d packets of pictures that were not negotiated, %d of sound", v, a)
	}
}

// A frame of sound is one packet, however large, if there is room for it.
func TestSoundThatIsLargerThanOtherPackets(t *testing.T) {
	for room, want := range map[int]int{rtpout.MaxPacket: 1, 1500: 2} {
		s := newStage(t, media.H264)
		_, audio := s.tracks()
		p, err := rtpout.NewPlayer(rtpout.Feed{Stream: s.stream, Rendition: "main"}, s,
			[]rtpout.Outgoing{{Track: audio, SSRC: audioSSRC, PayloadType: audioPT}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		s.picture(true)
		for _, size := range []int{1300, 100} {
			au := &media.AccessUnit{PTS: media.PTS(s.now, 48000), Arrived: s.now, Keyframe: true, Data: [][]byte{make([]byte, size)}}
			if err := s.source.Write("audio", au); err != nil {
				t.Fatal(err)
			}
		}
		got := 0
		for n := 1; n > 0; got++ {
			if n, err = p.Next(s.now, s.buf[:room]); err != nil {
				t.Fatal(err)
			}
		}
		if got-1 != want {
			t.Errorf("%d packets into %d bytes, want %d", got-1, room, want)
		}
	}
}

// Whatever goes out leaves room for the tag of SRTP behind it: a frame that would not is skipped.
func TestSoundLeavesRoomForTheTag(t *testing.T) {
	const tag = 16
	s := newStage(t, media.H264)
	video, audio := s.tracks()
	p, err := rtpout.NewPlayer(rtpout.Feed{Stream: s.stream, Rendition: "main"}, s, []rtpout.Outgoing{
		{Track: video, SSRC: videoSSRC, PayloadType: videoPT},
		{Track: audio, SSRC: audioSSRC, PayloadType: audioPT, RTXSSRC: rtxSSRC, NACK: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s.picture(true)
	drain(t, p, s.now)
	largest := 0
	for size := 1300; size < len(s.buf); size++ {
		au := &media.AccessUnit{PTS: media.PTS(s.now, 48000), Arrived: s.now, Keyframe: true, Data: [][]byte{make([]byte, size)}}
		if err := s.source.Write("audio", au); err != nil {
			t.Fatal(err)
		}
		for n := 1; n > 0; {
			if n, err = p.Next(s.now, s.buf[:]); err != nil {
				t.Fatal(err)
			}
			largest = max(largest, n)
		}
	}
	if largest+tag > len(s.buf) || largest < 1400 {
		t.Errorf("a packet of %d bytes into %d", largest, len(s.buf))
	}
}

// Counts are the player's own, and of all players that share a total.
func TestPlayersCount(t *testing.T) {
	s := newStage(t, media.H264)
	total := &rtpout.Counters{}
	var players []*rtpout.Player
	for range 3 {
		p, err := rtpout.NewPlayer(rtpout.Feed{Stream: s.stream, Rendition: "main"}, s, s.outgoing(), total)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		players = append(players, p)
	}
	s.picture(true)
	for _, p := range players {
		drain(t, p, s.now)
		if st := p.Stats(); st.Packets != 5 || st.Bytes < 5000 {
			t.Errorf("%+v", st)
		}
	}
	if st := total.Stats(); st.Packets != 15 || st.Bytes != 3*players[0].Stats().Bytes {
		t.Errorf("%+v", st)
	}
}
