package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/media"
)

const (
	highProfile     = 0x64 // profile_idc (H.264, A.2)
	baselineProfile = 0x42

	couldNotShow = "decoder could not show the stream as it is"
)

// startHigh runs a gateway with a stream "bars" in High profile without B-frames, which goes as it is to who offers
// Constrained Baseline alone: browsers decode it all the same.
func startHigh(t *testing.T) *gatewayProcess {
	t.Helper()
	url := startCamera(t, camera.Options{Clip: barClip(t, ".h264", h264As("yuv420p")...)})
	g := startTranscoder(t, fmt.Sprintf("streams.bars.source = %q\n", url))
	g.awaitState(t, "bars", "ready", cameraLimit)
	return g
}

var otherProfile = regexp.MustCompile(`a=fmtp:(\d+) .*profile-level-id=(?:4200|4d|64)`)

// onlyConstrainedBaseline takes the other profiles of H.264 out of an offer.
func onlyConstrainedBaseline(offer string) string {
	for _, m := range otherProfile.FindAllStringSubmatch(offer, -1) {
		offer = strings.ReplaceAll(offer, "a=rtpmap:"+m[1]+" H264/", "a=rtpmap:"+m[1]+" X-H264/")
	}
	return offer
}

// TestDecoderFallback has a viewer report that it decodes nothing of what it is passed in a profile that it did not
// offer: the picture goes on in one that it did, in the same row of packets.
//
// Proves F40 as seen by a peer.
func TestDecoderFallback(t *testing.T) {
	t.Parallel()
	g := startHigh(t)
	able := g.watch(t, "bars")
	if links := fmt.Sprint(able.header.Values("Link")); strings.Contains(links, "trouble") {
		t.Errorf("who offers the stream's profile is told where to report trouble: %s", links)
	}
	v := g.watchAs(t, "bars", viewerOptions{mangle: onlyConstrainedBaseline})
	if want, links := `/trouble>; rel="urn:sluice:whep:trouble"`, fmt.Sprint(v.header.Values("Link")); !strings.Contains(links, want) {
		t.Fatalf("the viewer is not told where to report trouble: %s", links)
	}
	v.awaitFrames(t, 25)
	for _, c := range []struct {
		body   string
		status int
	}{{`{"framesDecoded":0}`, http.StatusBadRequest}, {`{"framesDecoded":25,"framesReceived":25}`, http.StatusNoContent}} {
		if got := v.report(t, c.body); got != c.status {
			t.Errorf("the report %s is answered with %d, want %d", c.body, got, c.status)
		}
	}
	g.checkMade(t, "bars", "", "")
	began := time.Now()
	if status := v.report(t, `{"framesDecoded":0,"framesReceived":25}`); status != http.StatusNoContent {
		t.Fatalf("the report is answered with %d, want 204", status)
	}
	v.awaitMade(t, 1)
	t.Logf("the first picture in Constrained Baseline came %v after the report", time.Since(began).Round(time.Millisecond))
	g.awaitFallback(t)
	v.awaitMade(t, 50)
	g.checkMade(t, "bars", "h264", "")
	able.awaitFrames(t, 25)
	able.close()
	v.close()
	v.checkVideo(t, media.H264, 75)
	checkFallback(t, pictures(t, media.H264, v.snapshot(media.Video).packets))
	if profiles := profilesOf(pictures(t, media.H264, able.snapshot(media.Video).packets)); len(profiles) != 1 || profiles[0].idc != highProfile {
		t.Errorf("who can decode the stream was sent the profiles %v", profiles)
	}
}

// report posts a report of trouble, and returns the status.
func (v *viewer) report(t *testing.T, body string) int {
	t.Helper()
	r, err := client.Post(v.location+"/trouble", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// awaitFallback waits until the API says that somebody is sent what was made, and why, as the log does.
func (g *gatewayProcess) awaitFallback(t *testing.T) {
	t.Helper()
	eventually(t, playLimit, func() string {
		for _, s := range g.sessions(t, "bars") {
			for _, d := range s.Delivery {
				if d.Codec == "h264" && d.Transcoded && d.Rendition == "main:h264" && strings.Contains(d.Reason, couldNotShow) {
					return ""
				}
			}
		}
		return fmt.Sprintf("the API does not tell that a %s: %+v", couldNotShow, g.sessions(t, "bars"))
	})
	g.checkLogged(t, `sign="its report"`)
}

// awaitMade waits until n pictures of Constrained Baseline have come.
func (v *viewer) awaitMade(t *testing.T, n int) {
	t.Helper()
	eventually(t, playLimit, func() string {
		all := pictures(t, media.H264, v.snapshot(media.Video).packets)
		profiles := profilesOf(all)
		if last := profiles[len(profiles)-1]; last.idc != baselineProfile || len(all)-last.from < n {
			return fmt.Sprintf("of %d pictures, the profiles are %v; want %d of %#x at the end", len(all), profiles, n, baselineProfile)
		}
		return ""
	})
}

// profile is one that a row of pictures goes over to.
type profile struct {
	idc, constraints byte
	from             int // the first picture's place
}

// profilesOf tells the profiles of pictures, by their SPS, as they change.
func profilesOf(all [][][]byte) []profile {
	var found []profile
	for i, parts := range all {
		for _, nalu := range parts {
			if partType(media.H264, nalu) != 7 {
				continue
			}
			if p := (profile{nalu[1], nalu[2], i}); len(found) == 0 || found[len(found)-1].idc != p.idc {
				found = append(found, p)
			}
		}
	}
	return found
}

// checkFallback wants pictures in High profile, then only those in Constrained Baseline, which are decoded without the
// others.
func checkFallback(t *testing.T, all [][][]byte) {
	t.Helper()
	profiles := profilesOf(all)
	const constrained = 0x40 // constraint_set1_flag
	if len(profiles) != 2 || profiles[0].idc != highProfile || profiles[1].idc != baselineProfile || profiles[1].constraints&constrained == 0 {
		t.Fatalf("the profiles are %+v, want High and then Constrained Baseline", profiles)
	}
	rest := all[profiles[1].from:]
	checkFirst(t, media.H264, rest[0])
	if got := decodePictures(t, media.H264, rest); got != len(rest) {
		t.Errorf("ffmpeg made %d pictures of %d in Constrained Baseline", got, len(rest))
	}
}

// blindScript plays "bars" in a page of the gateway's by its player. The browser offers Constrained Baseline alone, and
// counts no picture as decoded before sees is set.
const blindScript = `(async () => {
	const { prototype } = RTCPeerConnection;
	const { addTransceiver, getStats } = prototype;
	prototype.addTransceiver = function add(kind, init) {
		const transceiver = addTransceiver.call(this, kind, init);
		if (kind === 'video') {
			const { codecs } = RTCRtpReceiver.getCapabilities('video');
			const fits = ({ sdpFmtpLine = '' }) => /packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=42e0/.test(sdpFmtpLine);
			transceiver.setCodecPreferences(codecs.filter(fits));
		}
		return transceiver;
	};
	prototype.getStats = async function count() {
		const report = new Map(await getStats.call(this));
		const blind = (s) => (s.type === 'inbound-rtp' && s.kind === 'video' && !window.sees ? { ...s, framesDecoded: 0 } : s);
		return new Map([...report].map(([id, s]) => [id, blind(s)]));
	};
	const { play } = await import('/assets/player.js');
	const video = document.createElement('video');
	[video.muted, video.autoplay] = [true, true];
	document.body.append(video);
	window.player = play(video, '/bars/whep');
})()`

// TestPageReportsBlindness has the player page's player count pictures that come and are not decoded: it reports that
// once, and the picture goes on in the same session.
//
// Proves F40 as seen by a browser.
func TestPageReportsBlindness(t *testing.T) {
	t.Parallel()
	g := startHigh(t)
	p := openBrowser(t, chromium).open(t, g.URL)
	p.evaluate(blindScript, nil)
	g.awaitFallback(t)
	p.evaluate(`window.sees = true`, nil)
	var state string
	eventually(t, playLimit, func() string {
		if p.evaluate(`player.state`, &state); state != "playing" {
			return "the player is " + state
		}
		return ""
	})
	p.await(playLimit, func(l look) string {
		if l.FramesDecoded < 50 || l.Connections != 1 || l.Width != 320 {
			return fmt.Sprintf("%d pictures %d wide over %d connections", l.FramesDecoded, l.Width, l.Connections)
		}
		return ""
	})
	var reports int
	p.evaluate(`performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/trouble')).length`, &reports)
	if reports != 1 {
		t.Errorf("the page has reported %d times, want once", reports)
	}
	p.screenshot("fallback")
}
