package session

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
)

// counterOffer makes a session whose offer, made by a fake engine, is a real one.
func (b *bench) counterOffer() (*Session, *fakeSender) {
	b.t.Helper()
	s, _, err := b.Offer(b.t.Context(), PlayRequest{Stream: "cam"})
	if err != nil {
		b.t.Fatal(err)
	}
	link := b.fake.sender(len(b.fake.senders) - 1)
	link.mu.Lock()
	defer link.mu.Unlock()
	link.sdp = strings.NewReplacer("recvonly", "sendonly").Replace(vp8Offer)
	return s, link
}

var counterAnswer = strings.NewReplacer("actpass", "active", "ours", "theirs").Replace(vp8Offer)

// B6: a counter-offer is answered once; then it is a session like any other.
func TestCounterOffer(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		p := b.source("main", picture, sound)
		s, link := b.counterOffer()
		if len(link.tracks) != 2 || link.tracks[0].Codec != media.VP8 {
			t.Errorf("offered: %+v", link.tracks)
		}
		if _, err := s.Patch(same+section, 1); reasonOf(err) != ReasonMalformedFragment {
			t.Errorf("a fragment before the answer: %v", err)
		}
		for _, bad := range []string{"", "hello", strings.Repeat("a=x\r\n", 100_000)} {
			if err := s.Answer(bad); reasonOf(err) != ReasonMalformedSDP {
				t.Errorf("a bad answer: %v", err)
			}
		}
		time.Sleep(29 * time.Second)
		if err := s.Answer(counterAnswer); err != nil || link.accepted != counterAnswer {
			t.Fatalf("%v; the connection got %q", err, link.accepted)
		}
		if err := s.Answer(counterAnswer); reasonOf(err) != ReasonNotPending {
			t.Errorf("a second answer: %v", err)
		}
		time.Sleep(9 * time.Second)
		link.connect()
		time.Sleep(time.Minute)
		b.write(p)
		if len(link.drain()) != 1 || isDone(s) {
			t.Errorf("ended by %v", s.endedBy())
		}
		trickled := strings.Replace(same, "ours", "theirs", 1) + section + candidate(1)
		if _, err := s.Patch(trickled, GenerationUnsaid); err != nil || len(link.candidates) != 1 {
			t.Errorf("%v, %q", err, link.candidates)
		}
		if _, err := s.Patch(restart1+section, GenerationAny); err != nil || s.Generation() != 2 {
			t.Errorf("%v, generation %d", err, s.Generation())
		}
	})
}

// B6: a counter-offer that nobody answers, and one that does not connect after its answer, are let go.
func TestCounterOfferExpires(t *testing.T) {
	for name, c := range map[string]struct {
		answer bool
		life   time.Duration
	}{"no answer": {false, OfferLife}, "no connection": {true, 10 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			onBench(t, Terms{}, Options{}, func(b *bench) {
				b.source("main", picture, sound)
				s, _ := b.counterOffer()
				if c.answer {
					if err := s.Answer(counterAnswer); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(c.life - time.Second)
				synctest.Wait()
				if isDone(s) {
					t.Fatal("let go too early")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if !isDone(s) || errors.Is(s.endedBy(), ErrOfferExpired) == c.answer {
					t.Errorf("%v", s.endedBy())
				}
				if err := s.Answer(counterAnswer); reasonOf(err) != ReasonGone {
					t.Errorf("an answer that comes late: %v", err)
				}
			})
		})
	}
}

// An answer to a session that began with the peer's offer is not waited for.
func TestAnswerToAnswered(t *testing.T) {
	onBench(t, Terms{}, Options{}, func(b *bench) {
		b.source("main", picture)
		s, _ := b.play(PlayRequest{})
		if err := s.Answer(counterAnswer); reasonOf(err) != ReasonNotPending {
			t.Error(err)
		}
	})
}

// B6: what is offered of what a stream sends, and that the session goes on as long as it does not change.
func TestCounterOfferTracks(t *testing.T) {
	track := func(codec media.Codec, p media.VideoProfile) media.Track {
		return media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000, Profile: p}
	}
	high := avc
	high.Profile.ProfileLevelID = [3]byte{0x64, 0x00, 0x28}
	bFrames := avc
	bFrames.BFrames = true
	aac := media.Track{ID: "audio", Kind: media.Audio, Codec: media.AAC, ClockRate: 48000, Channels: 2}
	for name, c := range map[string]struct {
		tracks []media.Track
		want   []media.Codec // none: refused
	}{
		"H264":          {[]media.Track{high, sound}, []media.Codec{media.H264, media.Opus}},
		"H265":          {[]media.Track{track(media.H265, media.VideoProfile{Profile: 1, Level: 120, ChromaFormat: 1, Known: true})}, []media.Codec{media.H265}},
		"AV1":           {[]media.Track{track(media.AV1, media.VideoProfile{Level: 8, Known: true})}, []media.Codec{media.AV1}},
		"VP9":           {[]media.Track{track(media.VP9, media.VideoProfile{Profile: 2, Known: true})}, []media.Codec{media.VP9}},
		"VP9, unknown":  {[]media.Track{track(media.VP9, media.VideoProfile{})}, []media.Codec{media.VP9}},
		"sound alone":   {[]media.Track{sound}, []media.Codec{media.Opus}},
		"AAC is left":   {[]media.Track{picture, aac}, []media.Codec{media.VP8}},
		"AAC alone":     {[]media.Track{aac}, nil},
		"with B-frames": {[]media.Track{bFrames, sound}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, Terms{}, Options{}, func(b *bench) {
				b.source("main", c.tracks...)
				s, _, err := b.Offer(b.t.Context(), PlayRequest{Stream: "cam"})
				if (err == nil) != (c.want != nil) || err != nil && reasonOf(err) != ReasonCodec {
					t.Fatal(err)
				}
				if err != nil {
					return
				}
				got := b.fake.sender(0).tracks
				for i, codec := range c.want {
					if i >= len(got) || got[i].Codec != codec {
						t.Fatalf("offered %+v, want %v", got, c.want)
					}
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if isDone(s) || len(got) != len(c.want) {
					t.Errorf("%d tracks, ended by %v", len(got), s.endedBy())
				}
			})
		})
	}
}
