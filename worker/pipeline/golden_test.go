package pipeline

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/media"
	"sluice/worker/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

func picture(codec media.Codec) media.Track {
	return media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000, Width: 1280, Height: 720}
}

func sound(codec media.Codec, rate, channels int) media.Track {
	return media.Track{ID: "audio", Kind: media.Audio, Codec: codec, ClockRate: rate, Channels: channels}
}

func with[T any](v T, change func(*T)) T {
	change(&v)
	return v
}

var (
	aac = with(sound(media.AAC, 48000, 2), func(t *media.Track) { t.ParameterSets = [][]byte{{0x11, 0x90}} })
	l24 = with(sound(media.LPCM, 48000, 6), func(t *media.Track) { t.BitDepth = 24 })
)

func to(source media.Track, element string, codec media.Codec) Picture {
	return Picture{Source: source, Codec: codec, Encoder: FindEncoder(element, codec)}
}

// jobs are those whose text is held to a file.
func jobs() map[string]func() (wire.Job, error) {
	all := map[string]func() (wire.Job, error){
		"sound-aac-opus": func() (wire.Job, error) { return TranscodeSound(Sound{Source: aac, Codec: media.Opus}) },
		"sound-l24-pcma": func() (wire.Job, error) { return TranscodeSound(Sound{Source: l24, Codec: media.PCMA}) },
		"sound-mp3-opus": func() (wire.Job, error) {
			return TranscodeSound(Sound{Source: sound(media.MP3, 90000, 2), Codec: media.Opus})
		},
		"snapshot-h265": func() (wire.Job, error) {
			return Snapshot(Picture{Source: picture(media.H265), Height: 480}, nil)
		},
		"snapshot-process": func() (wire.Job, error) {
			return Snapshot(Picture{Source: picture(media.H264), Process: "clockoverlay ! fakething"}, []string{"fakething"})
		},
		"source": func() (wire.Job, error) {
			return Source("videotestsrc is-live=true", FindEncoder("x264enc", media.H264), FindEncoder("opusenc", media.Opus), []string{"filesrc"})
		},
		"source-encoded": func() (wire.Job, error) {
			return Source("rtspsrc location=rtsp://127.0.0.1/x", Encoder{}, Encoder{}, nil)
		},
		"sink": func() (wire.Job, error) {
			return Sink("h264parse ! mp4mux fragment-duration=1000 ! filesink location=/rec/yard.mp4", []media.Track{picture(media.H264), aac}, []string{"filesink"})
		},
		"sink-both": func() (wire.Job, error) {
			return Sink("video. ! h264parse ! mpegtsmux name=m ! rtmp2sink location=x  audio. ! aacparse ! m.", []media.Track{picture(media.H264), aac}, nil)
		},
		"probe-h264": func() (wire.Job, error) { return ProbeEncoder(Encoders(media.H264)...), nil },
	}
	for name, p := range map[string]Picture{
		"h265-x264": to(picture(media.H265), "x264enc", media.H264),
		"h264-ultrafast": with(to(picture(media.H264), "x264enc", media.H264), func(p *Picture) {
			p.Preset, p.SourceFPS = Ultrafast, 15
		}),
		"h264-low": with(to(picture(media.H264), "openh264enc", media.H264), func(p *Picture) {
			p.Height, p.FPS, p.BitrateKbps = 360, 15, 500
		}),
		"h264-half":    with(to(picture(media.H264), "x264enc", media.H264), func(p *Picture) { p.FPS, p.SourceFPS = 30, 60 }),
		"h264-as-many": with(to(picture(media.H264), "x264enc", media.H264), func(p *Picture) { p.FPS, p.SourceFPS = 30, 25 }),
		"interlaced-process": with(to(with(picture(media.H264), func(t *media.Track) { t.Interlaced = true }), "v4l2h264enc", media.H264), func(p *Picture) {
			p.Process = "clockoverlay valignment=bottom ! textoverlay text=yard"
		}),
		"mjpeg-vp8": to(picture(media.MJPEG), "vp8enc", media.VP8),
		"mpeg4-va":  to(with(picture(media.MPEG4Video), func(t *media.Track) { t.ParameterSets = [][]byte{{0, 0, 1, 0xb0}} }), "vah264enc", media.H264),
		"unknown":   to(picture(media.AV1), "someh264enc", media.H264),
	} {
		all["picture-"+name] = func() (wire.Job, error) { return TranscodePicture(p, []string{"a", "b"}) }
	}
	return all
}

func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for name, make := range jobs() {
		t.Run(name, func(t *testing.T) {
			j, err := make()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".golden")
			seen[file] = true
			got := describe(&j)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: go test -update rewrites it\ngot:\n%s\nwant:\n%s", file, got, want)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f] {
			t.Errorf("%s belongs to no job", f)
		}
	}
}

// describe is a job for people to read, an element a line.
func describe(j *wire.Job) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s sandboxed=%v preroll=%v allow=%v limits=%+v\n\n%s\n", j.Role, j.Sandboxed, j.Preroll, j.Allow, j.Limits, lines(j.Pipeline))
	for _, name := range slices.Sorted(maps.Keys(j.Elements)) {
		fmt.Fprintf(&b, "\n{%s}\n", name)
		for _, c := range j.Elements[name] {
			fmt.Fprintf(&b, "  %s\n", c)
		}
	}
	section(&b, "inputs", j.Inputs)
	section(&b, "outputs", j.Outputs)
	section(&b, "properties", j.Properties)
	section(&b, "controls", j.Controls)
	for _, e := range j.Encoders {
		fmt.Fprintf(&b, "\nraw %s\n%s\n%+v\n%+v\n", e.Kind, lines(e.Chain), e.Properties, e.Bitrate)
	}
	return b.String()
}

func lines(text string) string { return strings.ReplaceAll(text, " ! ", "\n! ") }

func section[T any](b *strings.Builder, title string, list []T) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, v := range list {
		fmt.Fprintf(b, "  %+v\n", v)
	}
}
