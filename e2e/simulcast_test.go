package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtcp"

	"sluice/media"
)

func pliFor(ssrc uint32) []rtcp.Packet {
	return []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}
}

// TestSimulcastOBS publishes two layers as OBS does. Viewers get the best that they ask for; when the small layer
// stops, its viewer goes on with the big one, and the other notices nothing.
//
// Proves A58, B16 and D4 as seen by peers.
func TestSimulcastOBS(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	obs := startPeer(t, "obs.mjs", g.whip("studio"),
		"--video", obsVideo(t, 640, 360), "--video", obsVideo(t, 320, 180), "--audio", obsSound(t))
	g.awaitLayers(t, "studio", 640, 320)
	big, small := g.watch(t, "studio"), g.watch(t, "studio?maxwidth=400")
	big.awaitFrames(t, 40)
	small.awaitFrames(t, 40)
	if w := small.widths(t); len(w) != 1 || w[0] != 320 {
		t.Errorf("a viewer that wants no more than 400 pixels gets pictures %v wide", w)
	}

	if err := obs.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	small.awaitWidth(t, 640, 640)
	big.awaitFramesMore(t, 20)
	small.awaitFramesMore(t, 20)
	for _, v := range []*viewer{big, small} {
		v.close()
		v.checkVideo(t, media.H264, 60)
	}
	if w := big.widths(t); len(w) != 1 || w[0] != 640 {
		t.Errorf("the other viewer got pictures %v wide, want 640 only", w)
	}
}

// awaitLayers waits until a stream has pictures of some widths, the largest first: it is ready with the first of them.
func (g *gatewayProcess) awaitLayers(t *testing.T, name string, widths ...int) {
	t.Helper()
	eventually(t, answerLimit, func() string {
		var found []int
		for _, track := range g.stream(t, name).Tracks {
			if track.Kind == string(media.Video) {
				found = append(found, track.Width)
			}
		}
		if !slices.Equal(found, widths) {
			return fmt.Sprintf("stream %s has pictures %v wide, want %v", name, found, widths)
		}
		return ""
	})
}

// widths are the widths of a viewer's pictures, in the order in which they came, as the parameter sets tell.
func (v *viewer) widths(t *testing.T) []int {
	t.Helper()
	var all []int
	for _, picture := range pictures(t, media.H264, v.snapshot(media.Video).packets) {
		for _, nalu := range picture {
			var sps h264.SPS
			if nalu[0]&0x1f != 7 {
				continue
			}
			if err := sps.Unmarshal(nalu); err != nil {
				t.Fatal(err)
			}
			if w := sps.Width(); len(all) == 0 || all[len(all)-1] != w {
				all = append(all, w)
			}
		}
	}
	return all
}

// awaitWidth waits until the viewer's pictures have a width between two.
func (v *viewer) awaitWidth(t *testing.T, least, most int) {
	t.Helper()
	eventually(t, mediaLimit, func() string {
		if w := v.widths(t); len(w) == 0 || w[len(w)-1] < least || w[len(w)-1] > most {
			return fmt.Sprintf("the pictures are %v wide, want %d to %d in the end", w, least, most)
		}
		return ""
	})
}

// TestSimulcastChromium publishes three layers from a page; a viewer walks from layer to layer by the layer extension
// and back to automatic, without a break.
//
// Proves A58, B15 and B16 as seen by peers.
func TestSimulcastChromium(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	p := openBrowser(t, chromium).openPeer(t, g.whip("studio"))
	p.start(map[string]any{"url": g.whip("studio"), "role": "publish", "codec": "h264", "simulcast": true})
	g.awaitState(t, "studio", "ready", answerLimit)
	v, link := g.watchLinked(t, "studio")
	v.awaitWidth(t, 640, 1280) // Chromium leaves the biggest layer out when the machine is busy
	for _, step := range []struct {
		wish        string
		least, most int // width
	}{{`{"rid":"q"}`, 320, 320}, {`{"rid":"h"}`, 640, 640}, {`{"maxWidth":400}`, 320, 320}, {`{}`, 640, 1280}} {
		eventually(t, mediaLimit, func() string { // the layer may begin later than others, or pause
			if status := postJSON(t, link["layer"], step.wish); status != http.StatusOK {
				return fmt.Sprintf("the wish %s is answered with %d", step.wish, status)
			}
			return ""
		})
		v.awaitWidth(t, step.least, step.most)
	}
	if status := postJSON(t, link["layer"], `{"rid":"none"}`); status != http.StatusNotFound {
		t.Errorf("an unknown layer is answered with %d, want 404", status)
	}
	p.call("drop", []string{"f", "h"}, nil)
	v.awaitWidth(t, 320, 320)
	v.close()
	v.checkVideo(t, media.H264, 10)
	p.stop(t)
}

var extensionLink = regexp.MustCompile(`<([^>]+)>;[^<]*rel="?urn:ietf:params:whep:ext:core:([a-z-]+)"?`)

// watchLinked is watch that also returns the URLs of the session's extensions.
func (g *gatewayProcess) watchLinked(t *testing.T, stream string) (*viewer, map[string]string) {
	t.Helper()
	v := g.watch(t, stream)
	links := make(map[string]string)
	for _, m := range extensionLink.FindAllStringSubmatch(strings.Join(v.header.Values("Link"), ", "), -1) {
		links[m[2]] = siteOf(t, v.location) + m[1]
	}
	if links["layer"] == "" || links["server-sent-events"] == "" {
		t.Fatalf("the 201 has no Links of the extensions: %v", v.header)
	}
	return v, links
}

func postJSON(t *testing.T, url, body string) int {
	t.Helper()
	r, err := client.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}
