package camera

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"sluice/internal/testmedia"
	"sluice/media"
)

func mustParse(t testing.TB, name string, data []byte) *Clip {
	t.Helper()
	clip, err := Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

func testClip(t testing.TB, codec media.Codec) *Clip {
	t.Helper()
	name, data := testmedia.File(codec)
	return mustParse(t, name, data)
}

func TestParseEveryCodec(t *testing.T) {
	const s = time.Second
	for codec, want := range map[media.Codec]struct {
		rate, channels, units, sets int
		period                      time.Duration
	}{
		media.H264:       {rate: 90000, units: 50, sets: 2, period: 2 * s},
		media.H265:       {rate: 90000, units: 50, sets: 3, period: 2 * s},
		media.VP8:        {rate: 90000, units: 50, period: 2 * s},
		media.VP9:        {rate: 90000, units: 50, period: 2 * s},
		media.AV1:        {rate: 90000, units: 50, period: 2 * s},
		media.MJPEG:      {rate: 90000, units: 50, period: 2 * s},
		media.MPEG4Video: {rate: 90000, units: 50, sets: 1, period: 2 * s},
		media.Opus:       {rate: 48000, channels: 2, units: 101, period: 101 * s / 50},
		media.AAC:        {rate: 48000, channels: 2, units: 94, sets: 1, period: 94 * 1024 * s / 48000}, // one more primes
		media.PCMU:       {rate: 8000, channels: 1, units: 100, period: 2 * s},
		media.PCMA:       {rate: 8000, channels: 1, units: 100, period: 2 * s},
		media.G722:       {rate: 8000, channels: 1, units: 100, period: 2 * s},
		media.LPCM:       {rate: 48000, channels: 2, units: 100, period: 2 * s},
	} {
		t.Run(string(codec), func(t *testing.T) {
			clip := testClip(t, codec)
			if len(clip.Tracks) != 1 {
				t.Fatalf("%d tracks", len(clip.Tracks))
			}
			tr := clip.Tracks[0]
			if tr.Codec != codec || tr.ClockRate != want.rate || tr.Channels != want.channels || len(tr.ParameterSets) != want.sets {
				t.Errorf("track is %+v", tr.Track)
			}
			if len(tr.Units) != want.units || tr.Period.Round(time.Microsecond) != want.period.Round(time.Microsecond) {
				t.Errorf("%d units in %v, want %d in %v", len(tr.Units), tr.Period, want.units, want.period)
			}
			if tr.Kind == media.Video && (tr.Width != 320 || tr.Height/16 != 11) {
				t.Errorf("picture is %dx%d", tr.Width, tr.Height)
			}
			checkTimes(t, clip)
		})
	}
}

func TestEveryCodecOfTestmediaIsParsed(t *testing.T) {
	for _, codec := range testmedia.Codecs() {
		if got := testClip(t, codec).Tracks[0].Codec; got != codec {
			t.Errorf("the stream for %s is %s", codec, got)
		}
	}
}

// checkTimes checks what the player relies on.
func checkTimes(t testing.TB, clip *Clip) {
	t.Helper()
	first := int64(1)
	for _, tr := range clip.Tracks {
		last := int64(-1)
		for i, u := range tr.Units {
			if u.DTS < last || len(u.Data) == 0 {
				t.Fatalf("track %s, unit %d: DTS %d after %d, %d parts", tr.ID, i, u.DTS, last, len(u.Data))
			}
			last = u.DTS
		}
		first = min(first, tr.Units[0].DTS)
		if end := media.Duration(last, tr.ClockRate); tr.Period < minPeriod || end > tr.Period {
			t.Fatalf("track %s: period %v, last DTS %v", tr.ID, tr.Period, end)
		}
	}
	if first != 0 {
		t.Fatalf("the first DTS is %d", first)
	}
}

func TestDemoClip(t *testing.T) {
	if len(demoMP4) > 2<<20 {
		t.Errorf("the demo clip has %d bytes", len(demoMP4))
	}
	clip, err := DemoClip()
	if err != nil {
		t.Fatal(err)
	}
	checkTimes(t, clip)
	video, audio := clip.Tracks[0], clip.Tracks[1]
	if video.Codec != media.H264 || audio.Codec != media.Opus || audio.Channels != 2 {
		t.Fatalf("tracks are %+v and %+v", video.Track, audio.Track)
	}
	if len(video.Units) != 300 || len(audio.Units) != 500 || video.Period != 10*time.Second || audio.Period != 10*time.Second {
		t.Errorf("%d pictures in %v, %d packets in %v", len(video.Units), video.Period, len(audio.Units), audio.Period)
	}
	if p := video.ParameterSets[0][1:3]; p[0] != 66 || p[1]&0x40 == 0 {
		t.Errorf("profile %x is not constrained baseline", p)
	}
	for i, u := range video.Units {
		if u.DTS != int64(i)*3000 || u.PTS != u.DTS || h264.IsRandomAccess(u.Data) != (i%30 == 0) {
			t.Errorf("picture %d: DTS %d, PTS %d, IDR %v", i, u.DTS, u.PTS, h264.IsRandomAccess(u.Data))
		}
	}
	for i, u := range audio.Units {
		if u.DTS != int64(i)*960 {
			t.Errorf("sound %d: DTS %d", i, u.DTS)
		}
	}
}

// Each IDR has its parameter sets in front, whether the file has them in band or not.
func TestParameterSetsInBand(t *testing.T) {
	demo, err := DemoClip()
	if err != nil {
		t.Fatal(err)
	}
	for name, clip := range map[string]*Clip{"mp4": demo, "h264": testClip(t, media.H264), "h265": testClip(t, media.H265)} {
		t.Run(name, func(t *testing.T) {
			tr, idrs := clip.Tracks[0], 0
			for _, u := range tr.Units {
				at := slices.IndexFunc(u.Data, func(n []byte) bool { return isRandomAccess(tr.Codec, n) })
				if at < 0 {
					continue
				}
				idrs++
				for _, set := range tr.ParameterSets {
					if !slices.ContainsFunc(u.Data[:at], func(n []byte) bool { return slices.Equal(n, set) }) {
						t.Errorf("the IDR at %d lacks the set %x", u.DTS, set)
					}
				}
			}
			if idrs < 2 {
				t.Errorf("%d IDRs", idrs)
			}
		})
	}
}

// E45: pictures with B-frames keep their order of decoding, and their PTS.
func TestBFrames(t *testing.T) {
	name, data := testmedia.BFrames()
	clip := mustParse(t, name, data)
	checkTimes(t, clip)
	reversals, shown := 0, map[int64]bool{}
	units := clip.Tracks[0].Units
	for i, u := range units {
		shown[u.PTS] = true
		if i > 0 && u.PTS < units[i-1].PTS {
			reversals++
		}
		if u.PTS < u.DTS {
			t.Errorf("unit %d is shown at %d before it is sent at %d", i, u.PTS, u.DTS)
		}
	}
	if len(units) != 50 || len(shown) != 50 || reversals < 10 {
		t.Errorf("%d units, %d times, %d reversals", len(units), len(shown), reversals)
	}
}

func TestTracksOfOneFileStayTogether(t *testing.T) {
	name, data := testmedia.H264AAC()
	clip := mustParse(t, name, data)
	checkTimes(t, clip)
	if len(clip.Tracks) != 2 || clip.Tracks[0].Period != clip.Tracks[1].Period {
		t.Errorf("tracks are %+v", clip.Tracks)
	}
}

func TestJoin(t *testing.T) {
	clip := Join(testClip(t, media.VP8), testClip(t, media.Opus), testClip(t, media.PCMU))
	var ids []string
	for _, tr := range clip.Tracks {
		ids = append(ids, tr.ID)
	}
	if !slices.Equal(ids, []string{"video", "audio", "audio2"}) {
		t.Errorf("tracks are %q", ids)
	}
}

func TestParseRefuses(t *testing.T) {
	_, mp4 := testmedia.File(media.AAC)
	_, ivf := testmedia.File(media.VP8)
	_, wav := testmedia.File(media.PCMU)
	_, h264 := testmedia.File(media.H264)
	patch := func(b []byte, old, repl string) []byte {
		return []byte(strings.Replace(string(b), old, repl, 1))
	}
	for name, c := range map[string]struct {
		file string
		data []byte
		want string
	}{
		"empty":           {"clip.mp4", nil, "a camera's file is MP4"},
		"text":            {"notes.txt", []byte("hello, world"), "a camera's file is MP4"},
		"matroska":        {"clip.mkv", []byte("\x1aE\xdf\xa3\x01\x00\x00\x00"), "a camera's file is MP4"},
		"mp4 cut short":   {"clip.mp4", mp4[:len(mp4)/3], "cut short"},
		"mp4 of subtitle": {"clip.mp4", patch(mp4, "mp4a", "tx3g"), "no track that a camera can send"},
		"fragmented mp4":  {"clip.mp4", patch(mp4, "udta", "mvex"), "fragmented"},
		"ivf of another":  {"clip.ivf", patch(ivf, "VP80", "VP60"), "VP60"},
		"ivf cut short":   {"clip.ivf", ivf[:100], "cut short"},
		"wav of float":    {"clip.wav", append(append([]byte{}, wav[:20]...), append([]byte{3, 0}, wav[22:]...)...), "PCM of 16"},
		"wrong ending":    {"clip.h265", h264, "SPS and PPS"},
		"no h264 at all":  {"clip.h264", []byte("\x00\x00\x00\x01hello"), "SPS and PPS"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(c.file, c.data)
			var unsupported *UnsupportedFileError
			if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.file) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	name, data := testmedia.File(media.H264)
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if clip, err := Load(path); err != nil || len(clip.Tracks[0].Units) != 50 {
		t.Errorf("clip %v, error %v", clip, err)
	}
	if _, err := Load(filepath.Join(dir, "none.mp4")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error for a missing file is %v", err)
	}
	var unsupported *UnsupportedFileError
	if _, err := Load(dir); !errors.As(err, &unsupported) {
		t.Errorf("error for a folder is %v", err)
	}
}

// A B-frame stream without a container would play out of order.
func TestElementaryVideoWithBFramesIsRefused(t *testing.T) {
	name, data := testmedia.BFrames()
	var stream []byte
	for _, u := range mustParse(t, name, data).Tracks[0].Units {
		b, err := h264.AnnexB(u.Data).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		stream = append(stream, b...)
	}
	if _, err := Parse("clip.h264", stream); err == nil || !strings.Contains(err.Error(), "B-frames") {
		t.Errorf("error is %v", err)
	}
}

// A delay that no clock can count is a fault of the file, not a time long ago.
func TestEditDelay(t *testing.T) {
	const forever = "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01\x00\x00"
	if e, err := readEdit([]byte(forever), 1, math.MaxUint32); !errors.Is(err, errTruncated) {
		t.Errorf("got %+v and %v, want %v", e, err, errTruncated)
	}
	if e, err := readEdit([]byte(forever), math.MaxUint32, 90000); err != nil || e.delay != 90000 {
		t.Errorf("got %+v and %v, want a delay of one second", e, err)
	}
}
