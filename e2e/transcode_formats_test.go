package e2e

import (
	"fmt"
	"strings"
	"testing"

	"sluice/internal/camera"
	"sluice/media"
)

// rare are streams of formats that decoders in hardware, and most browsers, know nothing of.
var rare = []stranger{
	{"h265-1080p", ".h265", h265As("yuv420p", "-s", "1920x1080"), "", "h264", ""},
	{"h265-main10", ".h265", h265As("yuv420p10le"), "", "h264", ""},
	{"h265-422", ".h265", h265As("yuv422p"), "", "h264", ""},
	{"h265-422-10", ".h265", h265As("yuv422p10le"), "", "h264", ""},
	{"h264-high10", ".h264", h264As("yuv420p10le"), "", "h264", ""},
	{"h264-422", ".h264", h264As("yuv422p"), "", "h264", ""},
}

func h265As(format string, more ...string) []string {
	return append([]string{
		"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:log-level=error:pools=1", "-pix_fmt", format,
	}, more...)
}

func h264As(format string) []string {
	return []string{"-c:v", "libx264", "-bf", "0", "-pix_fmt", format}
}

// TestTranscodedFormats plays large pictures, and those of ten bits or full colour, none of which a viewer could be
// passed: all are decoded, in order.
//
// Proves F40 as seen by a browser.
func TestTranscodedFormats(t *testing.T) {
	t.Parallel()
	playStrangers(t, rare)
}

// TestTranscodedSound hears what cameras send beside the pictures: a browser gets telephone sound as it comes, and
// what it does not know as Opus.
func TestTranscodedSound(t *testing.T) {
	t.Parallel()
	_, aac := gstCamera(t, "--video", "h265", "--audio", "aac")
	_, mp3 := gstCamera(t, "--video", "h264", "--audio", "mp3")
	g := startTranscoder(t, fmt.Sprintf(`
streams.pcmu.source = %q
streams.pcma.source = %q
streams.aac.source = %q
streams.mp3.source = %q
`, startCameraOf(t, media.H264, media.PCMU), startCameraOf(t, media.H264, media.PCMA), aac, mp3))
	for _, c := range []struct{ stream, heard, video, audio string }{
		{"pcmu", "audio/PCMU", "", ""},
		{"pcma", "audio/PCMA", "", ""},
		{"aac", "audio/opus", "h264", "opus"},
		{"mp3", "audio/opus", "", "opus"},
	} {
		t.Run(c.stream, func(t *testing.T) {
			g.awaitState(t, c.stream, "ready", cameraLimit)
			p := openBrowser(t, chromium).open(t, g.page(c.stream))
			p.awaitPicture(50)
			if l := p.awaitTone(testTone); l.Codecs["audio"] != c.heard || l.Codecs["video"] != "video/H264" {
				t.Errorf("the browser gets %v, want H264 and %s", l.Codecs, c.heard)
			}
			g.checkMade(t, c.stream, c.video, c.audio)
		})
	}
}

// TestTranscodedGStreamerCamera plays a camera of gst-rtsp-server that no browser takes: its pictures are shown in
// order, and its tone is heard. Not beside other tests: the camera encodes while it is watched.
//
// Proves F40 and J147 as seen by a browser.
func TestTranscodedGStreamerCamera(t *testing.T) {
	_, url := gstCamera(t, "--video", "h265", "--audio", "aac", "--protocols", "tcp", "--pictures", barImages(t))
	g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", url))
	g.awaitState(t, "bars", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("bars"))
	p.awaitPicture(25)
	checkOrder(t, p.awaitShown(60))
	p.awaitTone(testTone)
	g.checkMade(t, "bars", "h264", "opus")
	p.screenshot("playing")
}

// without is a viewer that does not know some codecs, as an offer names them.
func without(codecs ...string) viewerOptions {
	return viewerOptions{mangle: func(offer string) string {
		for _, c := range codecs {
			offer = strings.ReplaceAll(offer, " "+c+"/", " X-"+c+"/")
		}
		return offer
	}}
}

// TestEachAsItCan has two viewers watch one stream at once, of whom one knows its codecs: that one gets them untouched,
// the other what it knows.
//
// Proves F40 as seen by peers.
func TestEachAsItCan(t *testing.T) {
	t.Parallel()
	url := startCamera(t, camera.Options{Clip: camera.Join(barClip(t, ".h265", h265As("yuv420p")...), clip(t, media.PCMA))})
	g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", url))
	g.awaitState(t, "bars", "ready", cameraLimit)

	able := g.watch(t, "bars")
	able.awaitFrames(t, 25)
	g.checkMade(t, "bars", "", "")
	unable := g.watchAs(t, "bars", without("H265", "PCMA", "PCMU"))
	for _, v := range []*viewer{able, unable} {
		v.awaitFrames(t, 60)
		v.awaitPackets(t, media.Audio, 60)
	}
	g.checkMade(t, "bars", "h264", "opus")
	for _, v := range []*viewer{able, unable} {
		v.close()
	}
	able.checkCodecs(t, media.H265, media.PCMA)
	unable.checkCodecs(t, media.H264, media.Opus)
}

// checkCodecs wants a viewer that has left to have been sent what it can decode, in two codecs.
func (v *viewer) checkCodecs(t *testing.T, video, audio media.Codec) {
	t.Helper()
	for kind, codec := range map[media.Kind]media.Codec{media.Video: video, media.Audio: audio} {
		mime := strings.ToLower(v.snapshot(kind).codec.MimeType)
		if want := fmt.Sprintf("%s/%s", kind, codec); mime != want {
			t.Errorf("a viewer gets %s, want %s", mime, want)
		}
	}
	v.checkVideo(t, video, 60)
	v.checkAudio(t, audio)
}
