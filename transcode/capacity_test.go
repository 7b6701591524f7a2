package transcode

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"sluice/media"
	"sluice/negotiation"
	"sluice/worker"
	"sluice/worker/wire"
)

// offered is a capacity on one line.
func offered(c negotiation.Capacity) string {
	var words []string
	for _, v := range slices.Concat(c.Video.Variants, c.Audio.Variants) {
		word := string(v.Track.Codec)
		if v.Track.Kind == media.Video {
			word += fmt.Sprintf(" %dx%d", v.Track.Width, v.Track.Height)
		}
		if v.Track.Codec == media.H264 {
			word += fmt.Sprintf(" %x", v.Track.Profile.ProfileLevelID)
		}
		if v.Running {
			word += " running"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func TestCapacity(t *testing.T) {
	sized := func(w, h int) media.Track {
		track := h265
		track.Width, track.Height = w, h
		return track
	}
	opus := media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
	surround := opus
	surround.Channels = 6
	bare := aac
	bare.ParameterSets = nil
	data := media.Track{ID: "data", Kind: media.Data}
	low := []Rendition{{Name: "low", Height: 360, MaxBitrateKbps: 500}, {Name: "slow", FPS: 5}}
	sounds := ", opus, pcmu, pcma"
	for _, c := range []struct {
		name   string
		base   string
		tracks []media.Track
		o      StreamOptions
		err    error
		want   string
		forced string
		absent string
	}{
		{name: "720p and AAC", tracks: []media.Track{h265, aac}, want: "h264 1280x720 42e01f, vp8 1280x720" + sounds},
		{name: "1080p", tracks: []media.Track{sized(1920, 1080)}, want: "h264 1920x1080 42e028, vp8 1920x1080"},
		{name: "4K", tracks: []media.Track{sized(3840, 2160)}, want: "h264 3840x2160 42e033, vp8 3840x2160"},
		{name: "8K", tracks: []media.Track{sized(7680, 4320)}, want: "h264 7680x4320 42e034, vp8 7680x4320"},
		{name: "small", tracks: []media.Track{sized(640, 480)}, want: "h264 640x480 42e01e, vp8 640x480"},
		{name: "unknown size", tracks: []media.Track{sized(0, 0)}, want: "h264 0x0 42e01f, vp8 0x0"},
		{
			name: "rendition of the configuration", base: "low", tracks: []media.Track{h265, aac}, o: StreamOptions{Renditions: low},
			want: "h264 640x360 42e01e, vp8 640x360" + sounds, forced: "The rendition low is made 360 lines high.",
		},
		{
			name: "rendition of few pictures", base: "slow", tracks: []media.Track{h265}, o: StreamOptions{Renditions: low},
			want: "h264 1280x720 42e01f, vp8 1280x720", forced: "The rendition slow is made with 5 pictures in a second.",
		},
		{
			name: "process", tracks: []media.Track{h264}, o: StreamOptions{Process: "clockoverlay"},
			want: "h264 1280x720 42e01f, vp8 1280x720", forced: `The pictures of this stream go through its "process" first.`,
		},
		{
			name: "always", tracks: []media.Track{h264}, o: StreamOptions{Mode: negotiation.TranscodeAlways},
			want: "h264 1280x720 42e01f, vp8 1280x720", forced: `This stream has transcode = "always".`,
		},
		{name: "never", tracks: []media.Track{h265}, o: StreamOptions{Mode: negotiation.TranscodeNever}, absent: `this stream has transcode = "never".`},
		{name: "no worker", tracks: []media.Track{h265}, err: errors.New("gateway-gst is not installed"), absent: "gateway-gst is not installed."},
		{name: "Opus is made into G.711", tracks: []media.Track{opus}, want: "pcmu, pcma"},
		{name: "surround sound into stereo", tracks: []media.Track{surround}, want: "opus, pcmu, pcma"},
		{name: "AAC whose configuration is not known", tracks: []media.Track{h265, bare}, want: "h264 1280x720 42e01f, vp8 1280x720"},
		{name: "nothing to see or hear", tracks: []media.Track{data}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, Options{}, c.o)
				defer s.stop()
				s.workers.missing(c.err)
				base := c.base
				if base == "" {
					base = "main"
				}
				got := s.Capacity(base, c.tracks)
				if c.o.Mode == "" && c.err == nil && base == "main" {
					equal(t, "possible", offered(Possible(c.tracks)), c.want)
				}
				equal(t, "variants", offered(got), c.want)
				equal(t, "forced", got.Forced, c.forced)
				equal(t, "absent", got.Video.Absent, c.absent)
				equal(t, "of sound", got.Audio.Absent, c.absent)
				equal(t, "full", got.Video.Full+got.Audio.Full, "")
			})
		})
	}
}

// A camera whose H264 can't be passed on needs the missing decoder like any other: its viewer is told of both.
func TestFaultOfH264ThatIsNotPassedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		reordered := h264
		reordered.BFrames = true
		fault := &wire.Fault{Code: wire.FaultMissingElement, Message: "video/x-h264 decoder", Package: "gstreamer1.0-libav", Permanent: true}
		s.workers.refuse(fault)
		c := s.publish(reordered)
		for _, rendition := range []string{"main:h264", "main:vp8"} {
			v := s.read(rendition)
			defer v.Close()
		}
		c.send("Kp")
		equal(t, "why not", s.Capacity("main", s.hub.Tracks("main")).Video.Absent, "start a worker: "+fault.Error()+".")
	})
}

// What has failed for good is not offered again; where nothing is left, the reason is told.
func TestCapacityAfterFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{})
		defer s.stop()
		tracks := []media.Track{h265, aac}
		s.publish(tracks...)
		s.blame(s.videoKey("main", "main", media.H264), h265, errors.New("element \"x264enc\" is not installed"), Status{})
		equal(t, "one fault", offered(s.Capacity("main", tracks)), "vp8 1280x720, opus, pcmu, pcma")
		s.blame(s.videoKey("main", "main", media.VP8), h265, errors.New("element \"vp8enc\" is not installed"), Status{})
		equal(t, "all faults", s.Capacity("main", tracks).Video.Absent, `element "vp8enc" is not installed.`)
		equal(t, "sound all the same", offered(s.Capacity("main", tracks)), "opus, pcmu, pcma")
		equal(t, "of sound", s.Capacity("main", tracks).Audio.Absent, "")
		equal(t, "of another track", offered(s.Capacity("main", []media.Track{h264})), "h264 1280x720 42e01f, vp8 1280x720")
		s.blame(audioKey("main", media.Opus), aac, &NoEncoderError{Codec: media.Opus}, Status{})
		equal(t, "sound", len(s.Capacity("main", []media.Track{h264, aac}).Audio.Variants), 2)
	})
}

func TestRenditions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{}, StreamOptions{Renditions: []Rendition{{Name: "low", Height: 361, MaxBitrateKbps: 500}, {Name: "huge", Height: 4000}}})
		defer s.stop()
		equal(t, "before the source is there", s.Renditions(), "[{low [] 500000} {huge [] 0}]")
		c := s.publish(h265, aac)
		s.workers.missing(&worker.NotInstalledError{Name: "gateway-gst"})
		equal(t, "without a worker", len(s.Renditions()), 0)
		s.workers.missing(nil)
		all := s.Renditions()
		low := all[0].Tracks[0]
		equal(t, "low", []any{low.Width, low.Height, low.Codec, all[0].Tracks[1].Codec}, "[640 360 h265 aac]")
		equal(t, "not enlarged", all[1].Tracks[0].Height, 720)
		v := s.read("low:h264")
		defer v.Close()
		c.send("Kp")
		spec := s.workers.all[0].spec
		if !strings.Contains(spec.Job.Pipeline, "height=(int)[2,360,2]") || !spec.Low || !spec.Isolate {
			t.Errorf("started as %+v", spec)
		}
		equal(t, "bit rate", strings.Contains(fmt.Sprint(spec.Job.Properties), "{encoder bitrate 500}"), true)
		c.p.Close()
		s.publish(aac)
		equal(t, "of a source without picture", len(s.Renditions()), 0)
		_, never, stop := s.add("never", StreamOptions{Mode: negotiation.TranscodeNever, Renditions: s.options.Renditions})
		defer stop()
		equal(t, "where none is ever made", len(never.Renditions()), 0)
	})
}

func TestSlotsOfSound(t *testing.T) {
	s := newService(Options{MaxWorkers: 1, Log: quietLog()}, newPuppets(t), &oneEncoder{})
	for range soundsPerPicture {
		if s.slots(media.Audio).take() == nil {
			t.Fatal("no room")
		}
	}
	if s.slots(media.Audio).take() != nil {
		t.Error("one more than there may be")
	}
	equal(t, "sounds", s.Stats().Sounds, 8)
	equal(t, "pictures", s.Stats().Pictures, 0)
}

func TestPermanent(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&worker.ExitError{}, false},
		{&worker.HungError{}, false},
		{errEnded, false},
		{fmt.Errorf("choose: %w", &NoEncoderError{}), true},
		{&EncoderKeyError{Err: errEnded}, true},
	} {
		if got := permanent(c.err); got != c.want {
			t.Errorf("%T: %v", c.err, got)
		}
	}
}
