package session

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
)

// fakeMaker can make H264 of any picture, and one small rendition.
type fakeMaker struct {
	mu   sync.Mutex
	full string
	off  string
}

func (f *fakeMaker) set(full, off string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full, f.off = full, off
}

func (f *fakeMaker) Renditions() []hub.Rendition {
	return []hub.Rendition{{Name: "low", Tracks: []media.Track{made(320, 180)}, Bitrate: 500_000}}
}

func (f *fakeMaker) Capacity(name string, tracks []media.Track) negotiation.Capacity {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := negotiation.Capacity{
		Video: negotiation.Supply{Variants: []negotiation.Variant{{Track: made(1280, 720)}}, Full: f.full, Absent: f.off},
		Audio: negotiation.Supply{Variants: []negotiation.Variant{{Track: sound}}, Absent: f.off},
	}
	if name == "low" {
		c.Video.Variants[0].Track = made(320, 180)
		c.Forced = "The rendition low is made 180 lines high."
	}
	if t, ok := media.First(tracks, media.Audio); !ok || t.Codec == media.Opus {
		c.Audio.Variants = nil
	}
	return c
}

// made is what the maker makes.
func made(width, height int) media.Track {
	t := avc
	t.Width, t.Height = width, height
	return t
}

var (
	hevc = media.Track{ID: "video", Kind: media.Video, Codec: media.H265, ClockRate: 90000, Width: 1280, Height: 720}
	aac  = media.Track{ID: "audio", Kind: media.Audio, Codec: media.AAC, ClockRate: 44100, Channels: 2}
)

// derives publishes what a transcoder would, if it is in demand.
func (b *bench) derives(name string, tracks ...media.Track) *hub.Publisher {
	b.t.Helper()
	if demand := b.stream.Demand(); !slices.Contains(demand, name) {
		b.t.Fatalf("%s is not in demand, only %v", name, demand)
	}
	p, err := b.stream.PublishDerived(name, tracks)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func deliveries(s *Session) (all []string) {
	for _, c := range s.Info().Choices {
		all = append(all, string(c.Action)+" "+string(c.Track.Codec))
	}
	return all
}

// J147, F40: what a viewer can't take is wanted in a codec that it offered, from the answer on until the session's end.
func TestViewerGetsWhatIsMade(t *testing.T) {
	onBench(t, Terms{Maker: &fakeMaker{}}, Options{}, func(b *bench) {
		b.source("main", hevc, aac)
		s, v := b.play(PlayRequest{})
		p := b.derives("main:h264+opus", made(1280, 720), sound)
		v.connect()
		synctest.Wait()
		b.write(p)
		if got := v.drain(); !slices.Equal(got, []string{"main:h264+opus"}) {
			t.Errorf("sent are %v", got)
		}
		if got, want := deliveries(s), []string{"transcode opus", "transcode h264"}; !slices.Equal(got, want) {
			t.Errorf("told are %v, want %v", got, want)
		}
		if c := s.Info().Choices[1]; !strings.Contains(c.Reason, "H.265") || !strings.Contains(c.Reason, "transcoder") {
			t.Errorf("the reason is %q", c.Reason)
		}
		want := []Layer{{RID: "main", Width: 1280, Height: 720, Active: true}, {RID: "low", Width: 320, Height: 180, Bitrate: 500_000}}
		if got := s.Layers(); !slices.Equal(got, want) {
			t.Errorf("layers are %+v, want %+v", got, want)
		}
		s.Close()
		if demand := b.stream.Demand(); len(demand) != 0 {
			t.Errorf("after the end, %v is in demand", demand)
		}
	})
}

// A layer of the configuration is made for who wishes for it, from the answer on or later.
func TestViewerChoosesAMadeLayer(t *testing.T) {
	onBench(t, Terms{Maker: &fakeMaker{}}, Options{}, func(b *bench) {
		main := b.source("main", made(1280, 720), sound)
		_, small := b.play(PlayRequest{MaxWidth: 400})
		low := b.derives("low:h264", made(320, 180), sound)
		small.connect()
		s, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		b.write(main)
		b.write(low)
		if got := small.drain(); !slices.Equal(got, []string{"low:h264"}) {
			t.Errorf("who wished for a small one is sent %v", got)
		}
		if got := v.drain(); !slices.Equal(got, []string{"main"}) {
			t.Errorf("who wished for nothing is sent %v", got)
		}
		if err := s.SelectLayer(LayerChoice{RID: "low"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.write(low)
		if got := v.drain(); !slices.Equal(got, []string{"low:h264"}) {
			t.Errorf("who chose the small one is sent %v", got)
		}
		if err := s.SelectLayer(LayerChoice{RID: "none"}); reasonOf(err) != ReasonLayer {
			t.Errorf("a layer that nobody makes: %v", err)
		}
	})
}

// A camera that changes what it sends goes on as something made of it, on the payload that was negotiated; nothing of
// what the viewer can't take is sent meanwhile.
func TestSourceChangesToWhatIsMade(t *testing.T) {
	for _, c := range []struct {
		name string
		now  media.Track
	}{
		{"another codec", hevc},
		{"B-frames", func() media.Track { t := made(1280, 720); t.BFrames = true; return t }()},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBench(t, Terms{Maker: &fakeMaker{}}, Options{}, func(b *bench) {
				main := b.source("main", made(1280, 720), sound)
				s, v := b.play(PlayRequest{})
				v.connect()
				synctest.Wait()
				b.write(main)
				v.drain()
				main.Close()
				main = b.source("main", c.now, sound)
				synctest.Wait()
				b.write(main)
				if got := v.drain(); len(got) != 0 {
					t.Errorf("what does not fit was sent: %v", got)
				}
				p := b.derives("main:h264", made(1280, 720), sound)
				time.Sleep(time.Second)
				b.write(p)
				if got := v.drain(); !slices.Equal(got, []string{"main:h264"}) {
					t.Errorf("sent are %v", got)
				}
				if isDone(s) {
					t.Errorf("the session ended: %v", s.endedBy())
				}
			})
		})
	}
}

// What can't be made any more ends a session with the reason.
func TestNothingCanBeMadeAnyMore(t *testing.T) {
	maker := &fakeMaker{}
	onBench(t, Terms{Maker: maker}, Options{}, func(b *bench) {
		b.source("main", hevc, sound)
		s, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		maker.set("", "Install the GStreamer worker.")
		b.stream.Signal()
		synctest.Wait()
		if !isDone(s) || !errors.As(s.endedBy(), new(*SourceChangedError)) || !strings.Contains(s.endedBy().Error(), "Install the GStreamer worker") {
			t.Errorf("the session's end is %v", s.endedBy())
		}
	})
}

// Where only capacity lacks, a viewer may come again; without a transcoder it may not.
func TestRefusalsWithoutAnEncoder(t *testing.T) {
	maker := &fakeMaker{}
	onBench(t, Terms{Maker: maker}, Options{}, func(b *bench) {
		b.source("main", hevc, sound)
		request := PlayRequest{Stream: "cam", Offer: viewerOffer}
		maker.set("All encoders are in use.", "")
		_, _, err := b.Play(t.Context(), request)
		if r := refusalOf(err); r.Reason != ReasonCapacity || r.RetryAfter == 0 || !strings.Contains(r.Error(), "All encoders") {
			t.Errorf("when all are in use: %+v", r)
		}
		maker.set("", "Install the GStreamer worker.")
		_, _, err = b.Play(t.Context(), request)
		if r := refusalOf(err); r.Reason != ReasonCodec || !strings.Contains(r.Error(), "Install the GStreamer worker") {
			t.Errorf("without a worker: %+v", r)
		}
	})
}

// F40: a decoder that was passed a profile that it did not offer, and can't show it, gets one that it did, on the same
// payload, once.
func TestDecoderThatCanNot(t *testing.T) {
	onBench(t, Terms{Maker: &fakeMaker{}}, Options{}, func(b *bench) {
		main := b.source("main", lenient(), sound)
		s, v := b.play(PlayRequest{})
		v.connect()
		synctest.Wait()
		b.write(main)
		if got := v.drain(); !slices.Equal(got, []string{"main"}) {
			t.Fatalf("at first %v is sent", got)
		}
		for i := range 4 {
			v.counted.Store(&rtpout.Stats{Keyframes: uint64(i + 1), Wishes: uint64(2 * i)})
			time.Sleep(time.Second + time.Millisecond)
		}
		p := b.derives("main:h264", made(1280, 720), sound)
		b.write(p)
		if got := v.drain(); !slices.Equal(got, []string{"main:h264"}) {
			t.Errorf("then %v is sent", got)
		}
		if c := s.Info().Choices[1]; c.Action != negotiation.Transcoded || c.Format.PayloadType != 102 {
			t.Errorf("it is sent by %s on payload type %d", c.Action, c.Format.PayloadType)
		}
	})
}

// F40: who seems unable to show what it is passed keeps that where nothing can be made, and gets what is made once it
// can be: wishes alone prove nothing.
func TestDecoderThatCanNotWithoutAnEncoder(t *testing.T) {
	for _, lack := range []struct{ name, full, off string }{
		{"all in use", "All encoders are in use.", ""}, {"not installed", "", "Install the GStreamer worker."},
	} {
		t.Run(lack.name, func(t *testing.T) {
			maker := &fakeMaker{}
			maker.set(lack.full, lack.off)
			onBench(t, Terms{Maker: maker}, Options{}, func(b *bench) {
				main := b.source("main", lenient(), sound)
				s, v := b.play(PlayRequest{})
				v.connect()
				synctest.Wait()
				for i := range 8 {
					v.counted.Store(&rtpout.Stats{Keyframes: uint64(i + 1), Wishes: uint64(2 * i)})
					time.Sleep(time.Second + time.Millisecond)
				}
				b.write(main)
				if got := v.drain(); !slices.Equal(got, []string{"main"}) || isDone(s) {
					t.Fatalf("%v is sent; the session's end is %v", got, s.endedBy())
				}
				maker.set("", "")
				time.Sleep(time.Second + time.Millisecond)
				p := b.derives("main:h264", made(1280, 720), sound)
				b.write(p)
				if got := v.drain(); !slices.Equal(got, []string{"main:h264"}) {
					t.Errorf("once it can be made, %v is sent", got)
				}
			})
		})
	}
}

// lenient is a picture that the offer of the tests holds in a smaller profile only.
func lenient() media.Track {
	t := made(1280, 720)
	t.Profile.ProfileLevelID = [3]byte{0x64, 0, 0x1F}
	return t
}

// F40: a viewer that reports that it decodes nothing is believed at once, where it was passed a profile that it did not
// offer, has been sent a keyframe, and something else can be made.
func TestReportUndecodable(t *testing.T) {
	for _, c := range []struct {
		name      string
		source    media.Track
		keyframes uint64
		full, off string
		takes     bool   // TakesReports
		sent      string // the rendition that is sent after it
	}{
		{"lenient", lenient(), 1, "", "", true, "main:h264"},
		{"nothing was sent", lenient(), 0, "", "", true, "main"},
		{"all encoders in use", lenient(), 1, "All encoders are in use.", "", true, "main"},
		{"no worker", lenient(), 1, "", "Install the GStreamer worker.", false, "main"},
		{"as offered", made(1280, 720), 1, "", "", false, "main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			maker := &fakeMaker{}
			maker.set(c.full, c.off)
			onBench(t, Terms{Maker: maker}, Options{}, func(b *bench) {
				p := b.source("main", c.source, sound)
				s, v := b.play(PlayRequest{})
				v.connect()
				synctest.Wait()
				b.write(p)
				v.drain()
				if got := s.TakesReports(); got != c.takes {
					t.Errorf("it takes reports: %v, want %v", got, c.takes)
				}
				v.counted.Store(&rtpout.Stats{Keyframes: c.keyframes})
				if err := s.ReportUndecodable(); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if c.sent != "main" {
					p = b.derives(c.sent, made(1280, 720), sound)
				}
				b.write(p)
				if got := v.drain(); !slices.Equal(got, []string{c.sent}) || isDone(s) {
					t.Errorf("%v is sent, want %s; the session's end is %v", got, c.sent, s.endedBy())
				}
				if told := strings.Contains(s.Info().Choices[1].Reason, strings.TrimSuffix(undecodable, ".")); told != (c.sent != "main") {
					t.Errorf("the reason is %q", s.Info().Choices[1].Reason)
				}
			})
		})
	}
}

// F40: reports that can't be taken, and without a transcoder those that have no effect.
func TestReportRefusals(t *testing.T) {
	onBench(t, Terms{Publish: true}, Options{}, func(b *bench) {
		p, r := b.publish("", publisherOffer)
		r.connect()
		r.sends("", true)
		if err := p.ReportUndecodable(); reasonOf(err) != ReasonLayer || p.TakesReports() {
			t.Errorf("a publisher's: %v", err)
		}
		s, _ := b.play(PlayRequest{})
		for i := range reportsPerMinute + 1 {
			if err := s.ReportUndecodable(); (reasonOf(err) == ReasonTooMany) != (i == reportsPerMinute) {
				t.Errorf("report %d: %v", i, err)
			}
		}
		if s.TakesReports() {
			t.Error("it takes reports without a transcoder")
		}
		s.Close()
		if err := s.ReportUndecodable(); reasonOf(err) != ReasonGone {
			t.Errorf("of a session that is over: %v", err)
		}
	})
}
