package e2e

import (
	"fmt"
	"strings"
	"testing"

	"sluice/media"
)

// publisher is somebody who publishes for a test.
type publisher interface {
	stop(t testing.TB) int             // ends its session as its user would; the status of its DELETE
	keyframeRequests(t testing.TB) int // that reached it so far
}

// publishing is a line of the table of real publishers.
type publishing struct {
	name          string // of the stream too
	video, audio  media.Codec
	width, height int // 0: the publisher decides from moment to moment
	start         func(t *testing.T, url string) publisher
}

// publishings are all real publishers that can be had here, with the codecs that each can send.
var publishings = []publishing{
	{name: "obs", video: media.H264, audio: media.Opus, width: 640, height: 360, start: startOBS},
	{name: "gst-h264", video: media.H264, audio: media.Opus, width: 320, height: 176, start: peerOf("gst_peer.py", "h264")},
	{name: "gst-vp8", video: media.VP8, audio: media.Opus, width: 320, height: 176, start: peerOf("gst_peer.py", "vp8")},
	{name: "aiortc-h264", video: media.H264, audio: media.Opus, width: 320, height: 180, start: peerOf("aiortc_peer.py", "h264")},
	{name: "aiortc-vp8", video: media.VP8, audio: media.Opus, width: 320, height: 180, start: peerOf("aiortc_peer.py", "vp8")},
	{name: "chromium-h264", video: media.H264, audio: media.Opus, start: pageOf(chromium, "h264")},
	{name: "chromium-vp8", video: media.VP8, audio: media.Opus, start: pageOf(chromium, "vp8")},
	{name: "chromium-vp9", video: media.VP9, audio: media.Opus, start: pageOf(chromium, "vp9")},
	{name: "chromium-av1", video: media.AV1, audio: media.Opus, start: pageOf(chromium, "av1")},
	{name: "firefox-vp8", video: media.VP8, audio: media.Opus, start: pageOf(firefox, "vp8")},
}

// whip is the URL of a stream's WHIP endpoint.
func (g *gatewayProcess) whip(stream string) string { return g.URL + stream + "/whip" }

func (p *peer) keyframeRequests(testing.TB) int { return p.last("counts").KeyframeRequests }

// peerOf starts a program of peers/ that publishes a codec and Opus.
func peerOf(program, codec string) func(*testing.T, string) publisher {
	return func(t *testing.T, url string) publisher {
		t.Helper()
		return startPeer(t, program, "publish", url, "--video", codec, "--audio", "opus")
	}
}

// startOBS publishes as OBS does, one layer.
func startOBS(t *testing.T, url string) publisher {
	t.Helper()
	return startPeer(t, "obs.mjs", url, "--video", obsVideo(t, 640, 360), "--audio", obsSound(t))
}

// obsVideo makes a file of four seconds as OBS encodes: High profile, no B-frames, a keyframe each two seconds.
func obsVideo(t *testing.T, width, height int) string {
	t.Helper()
	path := artefact(t, fmt.Sprintf("-source-%d.h264", height))
	tool(t, "ffmpeg", "-v", "error", "-y", "-nostdin", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%dx%d:rate=25", width, height),
		"-t", "4", "-c:v", "libx264", "-profile:v", "high", "-preset", "ultrafast", "-bf", "0", "-g", "50", "-threads", "1",
		"-x264-params", "slices=1:scenecut=0", "-f", "h264", path)
	return path
}

func obsSound(t *testing.T) string {
	t.Helper()
	path := artefact(t, "-source.ogg")
	tool(t, "ffmpeg", "-v", "error", "-y", "-nostdin", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "4",
		"-af", "volume=4", "-ac", "2", "-c:a", "libopus", "-b:a", "96k", "-frame_duration", "20", "-f", "ogg", path)
	return path
}

// pagePeer is a page with the WHIP client of browser/peer.js in it.
type pagePeer struct{ *page }

// pageStats is what browser/peer.js tells of itself.
type pageStats struct {
	State, ICE       string
	Statuses         []int // of PATCH
	Layers           map[string][2]int
	Pictures         int
	KeyframeRequests int
	Bandwidth        float64 // bit/s that its estimator allows
	Reports          int     // receiver reports
	Decoded          int
	Received         int      // packets of video
	Sounds           int      // samples of sound, silence that was put in for lost packets apart
	Cipher           string   // of SRTP, in the browser's words
	Route            string   // how media come: "host udp", "relay udp", "host tcp"
	Relay            string   // how a relay of the viewer's is reached: "udp", "tcp", "tls"
	Shown            float64  // milliseconds from start to the first picture
	Gap, Stall       float64  // longest time without a new picture, and without the page itself running; see watch
	Drift            *float64 // milliseconds by which the picture comes ahead of the sound; nil: not known yet
}

// pageOf publishes a codec and sound from the fake devices of a browser.
func pageOf(k kind, codec string) func(*testing.T, string) publisher {
	return func(t *testing.T, url string) publisher {
		t.Helper()
		p := openBrowser(t, k).openPeer(t, url)
		p.start(map[string]any{"url": url, "role": "publish", "codec": codec})
		return p
	}
}

// openPeer opens the publish page, with permission to film, and leaves it alone: the script of the test does the rest.
func (b *browser) openPeer(t *testing.T, endpoint string) *pagePeer {
	t.Helper()
	permissions := filming
	if b.kind.name == firefox.name {
		permissions = nil // its profile allows them
	}
	return &pagePeer{b.openAs(t, endpoint[:strings.LastIndex(endpoint, "/")]+"/publish", permissions)}
}

// start has the page send its offer, and wants a 201.
func (p *pagePeer) start(options map[string]any) (offer, answer string) {
	p.t.Helper()
	var r struct {
		Status                int
		Detail, Offer, Answer string
	}
	p.call("start", options, &r)
	if r.Status != 201 {
		p.t.Fatalf("%s: POST is answered with %d: %s", p.browser.kind.name, r.Status, r.Detail)
	}
	return r.Offer, r.Answer
}

// call calls a function of browser/peer.js.
func (p *pagePeer) call(function string, argument, result any) {
	p.t.Helper()
	p.evaluate(fmt.Sprintf("sluicePeer.%s(%s)", function, jsonOf(p.t, argument)), result)
}

func (p *pagePeer) stats() pageStats {
	p.t.Helper()
	var s pageStats
	p.call("stats", nil, &s)
	return s
}

// awaitStats waits until what the page tells of itself is as wanted. A page that stands still may know nothing for once.
func (p *pagePeer) awaitStats(missing func(pageStats) string) {
	p.t.Helper()
	eventually(p.t, mediaLimit, func() string { return missing(p.stats()) })
}

func (p *pagePeer) keyframeRequests(testing.TB) int { return p.stats().KeyframeRequests }

func (p *pagePeer) stop(testing.TB) int {
	p.t.Helper()
	var status int
	p.call("stop", nil, &status)
	return status
}
