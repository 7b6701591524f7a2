package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/camera"
	"sluice/media"
)

// source is a stream of the table: which camera sends what, and how.
type source struct {
	name         string // of the stream
	camera       string // ours or gst
	video, audio media.Codec
	transport    camera.Transport
	refused      string // what the 422 says; "": it plays
	silent       bool   // the sound cannot go to a browser, the picture can
}

// sources are the codecs and transports of the table. Debian's GStreamer has no payloader of AV1, and its
// MPEG-4 encoder fails on a live picture.
var sources = []source{
	{name: "h264-opus-tcp", camera: "ours", video: media.H264, audio: media.Opus, transport: camera.TCP},
	{name: "h264-pcmu-udp", camera: "ours", video: media.H264, audio: media.PCMU, transport: camera.UDP},
	{name: "h265-g722-tcp", camera: "ours", video: media.H265, audio: media.G722, transport: camera.TCP},
	{name: "h265-udp", camera: "ours", video: media.H265, transport: camera.UDP},
	{name: "vp8-opus-udp", camera: "ours", video: media.VP8, audio: media.Opus, transport: camera.UDP},
	{name: "vp9-pcma-tcp", camera: "ours", video: media.VP9, audio: media.PCMA, transport: camera.TCP},
	{name: "av1-opus-tcp", camera: "ours", video: media.AV1, audio: media.Opus, transport: camera.TCP},
	{name: "av1-g722-udp", camera: "ours", video: media.AV1, audio: media.G722, transport: camera.UDP},
	{name: "h264-aac-udp", camera: "ours", video: media.H264, audio: media.AAC, transport: camera.UDP, silent: true},
	{name: "mjpeg-tcp", camera: "ours", video: media.MJPEG, transport: camera.TCP, refused: "The camera sends Motion JPEG"},
	{name: "mpeg4-tcp", camera: "ours", video: media.MPEG4Video, transport: camera.TCP, refused: "The camera sends MPEG-4"},
	{name: "mpeg4-udp", camera: "ours", video: media.MPEG4Video, transport: camera.UDP, refused: "The camera sends MPEG-4"},

	{name: "gst-h264-opus-udp", camera: "gst", video: media.H264, audio: media.Opus, transport: camera.UDP},
	{name: "gst-h264-pcma-tcp", camera: "gst", video: media.H264, audio: media.PCMA, transport: camera.TCP},
	{name: "gst-h265-opus-tcp", camera: "gst", video: media.H265, audio: media.Opus, transport: camera.TCP},
	{name: "gst-vp8-pcmu-tcp", camera: "gst", video: media.VP8, audio: media.PCMU, transport: camera.TCP},
	{name: "gst-vp9-g722-udp", camera: "gst", video: media.VP9, audio: media.G722, transport: camera.UDP},
	{name: "gst-h264-aac-tcp", camera: "gst", video: media.H264, audio: media.AAC, transport: camera.TCP, silent: true},
	{name: "gst-h264-lpcm-tcp", camera: "gst", video: media.H264, audio: media.LPCM, transport: camera.TCP, silent: true},
	{name: "gst-mjpeg-udp", camera: "gst", video: media.MJPEG, transport: camera.UDP, refused: "The camera sends Motion JPEG"},
}

// start starts the source's camera, which speaks its one transport only, and returns its URL.
func (s source) start(t *testing.T) string {
	t.Helper()
	if s.camera == "gst" {
		args := []string{"--protocols", string(s.transport), "--video", string(s.video)}
		if s.audio != "" {
			args = append(args, "--audio", string(s.audio))
		}
		_, url := gstCamera(t, args...)
		return url
	}
	codecs := []media.Codec{s.video}
	if s.audio != "" {
		codecs = append(codecs, s.audio)
	}
	return startCamera(t, camera.Options{Clip: clip(t, codecs...), Transports: []camera.Transport{s.transport}})
}

// startTable starts all sources of the table behind one gateway, which makes nothing anew. A source of
// GStreamer's encodes only while it is watched.
func startTable(t *testing.T) *gatewayProcess {
	t.Helper()
	config := make([]string, len(sources))
	var starting sync.WaitGroup
	for i, s := range sources {
		starting.Go(func() {
			config[i] = fmt.Sprintf("[streams.%s]\nsource = %q\ntransport = %q\non_demand = %t\non_demand_close_after = \"1s\"\n",
				s.name, s.start(t), s.transport, s.camera == "gst")
		})
	}
	starting.Wait()
	return startGateway(t, "transcode.worker = \"off\"\n"+strings.Join(config, ""))
}

// TestCodecs plays every codec over every transport to a viewer, takes the packets apart and has ffmpeg decode them;
// browsers play what they know.
//
// Proves B12, F2, F20, F21, F22, F30, F31, F32, F34, F35, F36 and A50 as seen by a peer.
func TestCodecs(t *testing.T) {
	t.Parallel()
	g := startTable(t)
	for _, s := range sources {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if s.refused != "" {
				g.checkRefused(t, s)
				return
			}
			g.checkPackets(t, s)
			if s.video != media.H265 {
				checkPage(t, g, chromium, s)
			}
			if slices.Contains([]media.Codec{media.VP8, media.VP9, media.AV1}, s.video) && s.camera == "ours" {
				checkPage(t, g, firefox, s)
			}
		})
	}
}

func (g *gatewayProcess) checkRefused(t *testing.T, s source) {
	t.Helper()
	var refused *problem
	eventually(t, cameraLimit, func() string { // the gateway waits four seconds for a camera that may need more
		if _, refused = g.ask(t, s.name); refused != nil && refused.Status == http.StatusConflict {
			return refused.Detail
		}
		return ""
	})
	if refused == nil || refused.Status != http.StatusUnprocessableEntity || !strings.Contains(refused.Detail, s.refused) {
		t.Errorf("refused with %+v, want 422 and %q", refused, s.refused)
	}
}

// checkPackets watches a stream with pion for a second.
func (g *gatewayProcess) checkPackets(t *testing.T, s source) {
	t.Helper()
	const frames = 40
	v := g.watch(t, s.name)
	v.awaitFrames(t, frames+1)
	if s.audio != "" && !s.silent {
		v.awaitPackets(t, media.Audio, 50)
	}
	v.close()

	v.checkVideo(t, s.video, frames)
	audio := v.snapshot(media.Audio)
	switch {
	case s.audio == "":
	case s.silent && len(audio.packets) > 0:
		t.Errorf("%d packets of %s came, which no browser can play", len(audio.packets), s.audio)
	case !s.silent:
		v.checkAudio(t, s.audio)
	}
}

// checkVideo wants a gapless row of packets that begins with a keyframe, and whose pictures can all be decoded.
func (v *viewer) checkVideo(t *testing.T, codec media.Codec, atLeast int) {
	t.Helper()
	packets := v.snapshot(media.Video).packets
	checkPackets(t, media.Video, packets)
	whole := pictures(t, codec, packets)
	checkFirst(t, codec, whole[0])
	if got := decodePictures(t, codec, whole); got != len(whole) || got < atLeast {
		t.Errorf("ffmpeg made %d pictures of %d, want all, and %d at least", got, len(whole), atLeast)
	}
}

// checkAudio wants a gapless row of packets with a tone in them.
func (v *viewer) checkAudio(t *testing.T, codec media.Codec) {
	t.Helper()
	packets := v.snapshot(media.Audio).packets
	checkPackets(t, media.Audio, packets)
	if db := decodeSound(t, codec, packets); db < -40 {
		t.Errorf("the sound has %.1f dB, want a tone", db)
	}
}

func checkPage(t *testing.T, g *gatewayProcess, k kind, s source) {
	t.Helper()
	p := openBrowser(t, k).open(t, g.page(s.name))
	p.awaitPicture(25)
	if s.audio != "" && !s.silent {
		p.awaitSound()
	}
}
