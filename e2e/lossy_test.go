package e2e

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/internal/lossyrelay"
)

// TestLoss plays in Chromium over a way that loses one datagram of twenty, both ways: nearly all pictures are decoded.
//
// Proves B13 and F27 as seen by a browser.
func TestLoss(t *testing.T) {
	t.Parallel()
	const loss, length, fps, least, tries = 0.05, 10 * time.Second, 25, 0.9, 3
	port := freeAddress(t)
	g := startGatewayAs(t, fmt.Sprintf("http.listen = \"127.0.0.1:0\"\nwebrtc.listen_udp = %q\nstreams.door.source = %q\n",
		port, startCamera(t, camera.Options{Clip: loadClip(t, obsVideo(t, 640, 360))}))) // a busy browser decodes no larger pictures in time
	g.awaitState(t, "door", "ready", cameraLimit)
	relay := startRelay(t, port, lossyrelay.Link{Loss: loss})
	site := throughRelay(t, g.URL, relay.Addr())
	p := openBrowser(t, chromium).openPeer(t, site+"/door/whep")
	p.start(map[string]any{"url": site + "/door/whep", "role": "play"})
	p.awaitDecoded(fps)
	g.checkWay(t, "door", "")

	for try := 1; ; try++ { // a busy machine does not decode all that has come
		before, began := p.stats().Decoded, time.Now()
		time.Sleep(length)
		decoded, sent := p.stats().Decoded-before, fps*time.Since(began).Seconds()
		t.Logf("%d pictures of %.0f were decoded", decoded, sent)
		if float64(decoded) >= least*sent {
			break
		}
		if try == tries {
			t.Errorf("%d pictures of %.0f were decoded, want %.0f", decoded, sent, least*sent)
			break
		}
	}
	c := relay.Counters()
	t.Logf("the relay lost %d datagrams of %d, and %d of %d to the gateway", c.Down.Lost, c.Down.Received, c.Up.Lost, c.Up.Received)
	if c.Down.Lost == 0 || c.Up.Lost == 0 {
		t.Errorf("the relay has lost nothing: %+v", c)
	}
	g.stop(t)
}

// startRelay runs a relay to a media port until the end of the test, the same both ways.
func startRelay(t *testing.T, upstream string, link lossyrelay.Link) *lossyrelay.Relay {
	t.Helper()
	relay, err := lossyrelay.New(lossyrelay.Options{Upstream: netip.MustParseAddrPort(upstream), Up: link, Down: link, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := relay.Run(t.Context()); err != nil { // the context ends before the cleanups run
			t.Error(err)
		}
	})
	t.Cleanup(running.Wait)
	return relay
}

// throughRelay serves a gateway's pages, with answers that send all media to a relay.
func throughRelay(t *testing.T, gateway string, relay netip.AddrPort) (site string) {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(w *http.Response) error {
			if w.Header.Get("Content-Type") != "application/sdp" {
				return nil
			}
			answer, err := io.ReadAll(w.Body)
			if err := errors.Join(err, w.Body.Close()); err != nil {
				return err
			}
			text := lossyrelay.Rewrite(string(answer), relay)
			w.Body = io.NopCloser(strings.NewReader(text))
			w.Header.Set("Content-Length", strconv.Itoa(len(text)))
			return nil
		},
	})
	t.Cleanup(s.Close)
	return s.URL
}
