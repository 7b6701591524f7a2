package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sluice/media"
	"sluice/worker/wire"
)

// J180, J181: what needs no GStreamer to be found is refused before a process is started.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		allow []string
		err   string
	}{
		"elements":                 {"videotestsrc ! clockoverlay", nil, ""},
		"a file sink":              {"h264parse ! mp4mux ! filesink location=/tmp/x", nil, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"a file sink, allowed":     {"h264parse ! mp4mux ! filesink location=/tmp/x", []string{"filesink"}, ""},
		"http out":                 {"souphttpclientsink location=http://x", nil, `element "souphttpclientsink" is not allowed: name it in transcode.allow_elements to permit it`},
		"TCP out":                  {"mpegtsmux ! tcpclientsink host=x", nil, `element "tcpclientsink" is not allowed: name it in transcode.allow_elements to permit it`},
		"a picture of a file":      {"rsvgoverlay location=/x", nil, `element "rsvgoverlay" is not allowed: name it in transcode.allow_elements to permit it`},
		"a descriptor":             {"fdsrc fd=0 ! h264parse", nil, `element "fdsrc" is not allowed: name it in transcode.allow_elements to permit it`},
		"another of a family":      {"hlssink2 location=x", nil, `element "hlssink2" is not allowed: name it in transcode.allow_elements to permit it`},
		"without spaces":           {"a!filesink location=x", nil, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"in a bin":                 {"( videotestsrc ! filesink )", nil, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"behind a backslash":       {`a ! file\sink`, nil, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"a chain of its own":       {"a ! b name=filesink  shmsink", nil, `element "shmsink" is not allowed: name it in transcode.allow_elements to permit it`},
		"only in a text":           {`textoverlay text="a filesink ! b"`, nil, ""},
		"only as a value":          {"textoverlay text=filesink", nil, ""},
		"a name like one":          {"filesinkish", nil, ""},
		"empty":                    {"", nil, "the pipeline has a mistake: it is empty"},
		"only spaces":              {" \n\t", nil, "the pipeline has a mistake: it is empty"},
		"64 KiB":                   {strings.Repeat("a", 64<<10), nil, ""},
		"over 64 KiB":              {strings.Repeat("a", 64<<10+1), nil, "the pipeline has a mistake: its text has 65537 bytes, more than 65536"},
		"NUL":                      {"a \x00 b", nil, "the pipeline has a mistake: it has a NUL byte"},
		"an open quote":            {`textoverlay text="a b ! c`, nil, "the pipeline has a mistake: a quotation mark \" is not closed"},
		"an open single quote":     {`textoverlay text='it`, nil, "the pipeline has a mistake: a quotation mark ' is not closed"},
		"one quote in another":     {`textoverlay text="it's"`, nil, ""},
		"a quote after \\":         {`textoverlay text=\"x`, nil, ""},
		"a quote after \\ in one":  {`textoverlay text="a \" b" ! filesink`, nil, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"ends in \\":               {`textoverlay text=x\`, nil, ""},
		"a name that is taken":     {"videoflip name=encoder", nil, `the pipeline has a mistake: the name "encoder" is taken: choose another`},
		"a taken name in quotes":   {`videoflip name="encoder"`, nil, `the pipeline has a mistake: the name "encoder" is taken: choose another`},
		"a name that is not taken": {"videoflip name=turn", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := check(c.text, c.allow, encoderName)
			if message(err) != c.err {
				t.Fatalf("got %q, want %q", message(err), c.err)
			}
			if fault := (*wire.Fault)(nil); err != nil && (!errors.As(err, &fault) || !fault.Permanent) {
				t.Errorf("%#v is no permanent fault", err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// FuzzCheck: no text makes the scan crash or run for ever, and none hides a refused element that stands alone.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", "a ! b", `a text="x ! y" ! filesink`, `a\`, `'`, "( a ) !", "video. ! x audio. ! y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := check(text, nil)
		references(text)
		if err == nil && check(text+" ! filesink", nil) == nil && !strings.HasSuffix(text, `\`) && len(text) < maxText-11 {
			t.Errorf("%q hides what follows it", text)
		}
	})
}

func TestErrors(t *testing.T) {
	x264 := FindEncoder("x264enc", media.H264)
	tracks := []media.Track{picture(media.H264)}
	for name, c := range map[string]struct {
		make func() (wire.Job, error)
		want string
	}{
		"a picture that nobody decodes": {func() (wire.Job, error) { return TranscodePicture(to(picture("theora"), "x264enc", media.H264), nil) }, "theora can't be decoded"},
		"a sound as a picture": {func() (wire.Job, error) {
			return TranscodePicture(to(sound(media.Opus, 48000, 2), "x264enc", media.H264), nil)
		}, "Opus can't be decoded"},
		"no encoder": {func() (wire.Job, error) {
			return TranscodePicture(Picture{Source: picture(media.H265), Codec: media.H264}, nil)
		}, "nothing can be encoded in H.264"},
		"one of another": {func() (wire.Job, error) {
			return TranscodePicture(Picture{Source: picture(media.H265), Codec: media.VP8, Encoder: x264}, nil)
		}, "nothing can be encoded in VP8"},
		"process that leaves": {func() (wire.Job, error) {
			return TranscodePicture(with(to(picture(media.H264), "x264enc", media.H264), func(p *Picture) { p.Process = "tee ! filesink" }), nil)
		}, `element "filesink" is not allowed: name it in transcode.allow_elements to permit it`},
		"AAC as it comes": {func() (wire.Job, error) {
			return TranscodeSound(Sound{Source: sound(media.AAC, 48000, 2), Codec: media.Opus})
		}, "AAC can't be decoded: the source has not sent its configuration"},
		"sound to AAC":       {func() (wire.Job, error) { return TranscodeSound(Sound{Source: aac, Codec: media.AAC}) }, "nothing can be encoded in AAC"},
		"sound to a picture": {func() (wire.Job, error) { return TranscodeSound(Sound{Source: aac, Codec: media.H264}) }, "nothing can be encoded in H.264"},
		"snapshot of sound":  {func() (wire.Job, error) { return Snapshot(Picture{Source: aac}, nil) }, "AAC can't be decoded"},
		"an empty source":    {func() (wire.Job, error) { return Source("", x264, Encoder{}, nil) }, "the pipeline has a mistake: it is empty"},
		"a sink of no sound": {func() (wire.Job, error) { return Sink("audio. ! fakesink", tracks, nil) }, `the pipeline has a mistake: the stream has no audio that "audio." could stand for`},
		"a sink of nothing":  {func() (wire.Job, error) { return Sink("fakesink", nil, nil) }, "the pipeline has a mistake: the stream has neither picture nor sound"},
		"a sink's own name":  {func() (wire.Job, error) { return Sink("queue name=video ! fakesink", tracks, nil) }, `the pipeline has a mistake: the name "video" is taken: choose another`},
	} {
		t.Run(name, func(t *testing.T) {
			if j, err := c.make(); message(err) != c.want {
				t.Errorf("got %q and %q, want %q", message(err), j.Pipeline, c.want)
			}
		})
	}
}

func TestCanDecode(t *testing.T) {
	for _, c := range []media.Codec{
		media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.MJPEG, media.MPEG4Video,
		media.Opus, media.PCMU, media.PCMA, media.G722, media.AAC, media.MP3, media.LPCM,
	} {
		if !CanDecode(c) || inputCaps(media.Track{Codec: c}) == "" {
			t.Errorf("%s can't be decoded", c)
		}
	}
	if CanDecode("theora") {
		t.Error("a codec that nobody knows can be decoded")
	}
	if skipped := (media.Track{Codec: media.H264, Skipped: "it is encrypted"}); CanDecodeTrack(skipped) {
		t.Error("a track that is not carried can be decoded")
	}
}

func TestEncoders(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.VP8, media.Opus, media.PCMU, media.PCMA} {
		software := false
		for _, e := range Encoders(codec) {
			if e.Codec != codec || FindEncoder(e.Element, codec) != e {
				t.Errorf("%s: %+v", codec, e)
			}
			if e.Hardware && software {
				t.Errorf("%s stands behind software", e.Element)
			}
			software = !e.Hardware
			if software && e.Package == "" {
				t.Errorf("%s: nobody can say what to install", e.Element)
			}
			if e.bitrate != "" && e.unit == 0 {
				t.Errorf("%s: its bitrate has no unit", e.Element)
			}
		}
		if !software {
			t.Errorf("%s needs hardware", codec)
		}
	}
	if len(Encoders(media.H265)) > 0 {
		t.Error("H.265 is encoded though no browser needs it")
	}
}

// The bitrate reaches each element in its own unit.
func TestBitrateUnits(t *testing.T) {
	want := map[string]string{
		"nvh264enc": "bitrate=2000", "vah264lpenc": "bitrate=2000", "vah264enc": "bitrate=2000", "qsvh264enc": "bitrate=2000",
		"vaapih264enc":  "bitrate=2000",
		"v4l2h264enc":   "extra-controls=c,video_bitrate=2000000,repeat_sequence_header=1,h264_i_frame_period=60",
		"mpph264enc":    "bps=2000000",
		"vtenc_h264_hw": "bitrate=2000", "mfh264enc": "bitrate=2000", "nvv4l2h264enc": "bitrate=2000000", "omxh264enc": "target-bitrate=2000000",
		"x264enc": "bitrate=2000", "openh264enc": "bitrate=2000000", "vp8enc": "target-bitrate=2000000",
	}
	all := append(Encoders(media.H264), Encoders(media.VP8)...)
	for _, e := range all {
		var got []string
		for _, s := range e.settingsFor(2000, 30, "") {
			got = append(got, s.name+"="+s.value)
		}
		if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+want[e.Element]+" ") {
			t.Errorf("%s gets %v, want %s", e.Element, got, want[e.Element])
		}
	}
	if len(all) != len(want) {
		t.Errorf("%d encoders, %d rows", len(all), len(want))
	}
}

func TestBitrateFor(t *testing.T) {
	for _, c := range []struct{ w, h, fps, want int }{
		{1280, 720, 30, 2350}, {1920, 1080, 30, 5287}, {640, 360, 30, 587}, {640, 360, 15, 293}, {160, 90, 15, 200}, {3840, 2160, 60, 8000}, {0, 0, 30, 2350},
	} {
		if got := BitrateFor(c.w, c.h, c.fps); got != c.want {
			t.Errorf("%d × %d at %d: %d kbit/s, want %d", c.w, c.h, c.fps, got, c.want)
		}
	}
}

func TestScaled(t *testing.T) {
	for _, c := range []struct{ w, h, maxW, maxH, wantW, wantH int }{
		{1280, 720, 0, 360, 640, 360},
		{1280, 720, 0, 1080, 1280, 720}, // never larger
		{1280, 720, 320, 0, 320, 180},
		{1280, 720, 320, 90, 160, 90},
		{720, 1280, 0, 360, 202, 360},
		{639, 359, 0, 0, 640, 360},
		{1366, 768, 0, 361, 640, 360},
		{0, 0, 0, 360, 0, 0},
		{16384, 2, 0, 2, 16384, 2},
	} {
		track := media.Track{Width: c.w, Height: c.h}
		if w, h := Scaled(track, c.maxW, c.maxH); w != c.wantW || h != c.wantH {
			t.Errorf("%d × %d within %d × %d: %d × %d, want %d × %d", c.w, c.h, c.maxW, c.maxH, w, h, c.wantW, c.wantH)
		}
	}
}

func TestSoundCaps(t *testing.T) {
	surround := with(sound(media.Opus, 48000, 6), func(t *media.Track) {
		t.FMTP = map[string]string{"channel_mapping": "0,4,1,2,3,5", "num_streams": "4", "coupled_streams": "2"}
	})
	bad := with(surround, func(t *media.Track) {
		t.FMTP = map[string]string{"channel_mapping": `0>" ! filesink`, "num_streams": "4", "coupled_streams": "2"}
	})
	lpcm := func(bits, channels int) media.Track {
		return with(sound(media.LPCM, 44100, channels), func(t *media.Track) { t.BitDepth = bits })
	}
	for want, track := range map[string]media.Track{
		"audio/x-opus,channel-mapping-family=0,rate=48000,channels=2":                                                                   sound(media.Opus, 48000, 2),
		"audio/x-opus,channel-mapping-family=1,stream-count=4,coupled-count=2,channel-mapping=(int)<0,4,1,2,3,5>,rate=48000,channels=6": surround,
		"audio/G722,rate=16000,channels=1": sound(media.G722, 8000, 0),
		"audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,channels=2,codec_data=(buffer)1190":    aac,
		"audio/x-raw,format=S16BE,layout=interleaved,rate=44100,channels=1":                           lpcm(0, 0),
		"audio/x-raw,format=U8,layout=interleaved,rate=44100,channels=2":                              lpcm(8, 2),
		"audio/x-raw,format=S24BE,layout=interleaved,rate=44100,channels=3,channel-mask=(bitmask)0x7": lpcm(24, 3),
	} {
		if got := inputCaps(track); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := inputCaps(bad); got != inputCaps(sound(media.Opus, 48000, 2)) {
		t.Errorf("what a camera signals gets into the text: %s", got)
	}
}

// Every element that a text begins a bin with is one, and the text of an encoder holds one %s.
func TestSourceChains(t *testing.T) {
	for _, e := range append(append(Encoders(media.H264), Encoders(media.VP8)...), Encoders(media.Opus)...) {
		video, audio := e, Encoder{}
		if e.Codec == media.Opus {
			video, audio = audio, video
		}
		j, err := Source("x", video, audio, nil)
		if err != nil || len(j.Encoders) != 1 {
			t.Fatalf("%s: %+v, %v", e.Element, j.Encoders, err)
		}
		if text := fmt.Sprintf(j.Encoders[0].Chain, "it"); strings.Contains(text, "%") || !strings.Contains(text, e.Element+" name=it") {
			t.Errorf("%s: %s", e.Element, text)
		}
	}
}
