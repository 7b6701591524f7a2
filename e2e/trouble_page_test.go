package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/auth"
	"sluice/internal/lossyrelay"
	"sluice/media"
)

// mute stands before a gateway: HTTP goes through, and answers name a place for media where nobody says anything.
func mute(t *testing.T, gateway string) *httptest.Server {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nobody.Close() })
	at := nobody.LocalAddr().(*net.UDPAddr).AddrPort()
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: func(r *http.Response) error { return misdirect(r, at) },
	})
	t.Cleanup(s.Close)
	return s
}

// misdirect rewrites an answer's candidate.
func misdirect(r *http.Response, at netip.AddrPort) error {
	if r.Header.Get("Content-Type") != "application/sdp" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	_ = r.Body.Close()
	body = []byte(lossyrelay.Rewrite(string(body), at))
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return nil
}

// TestPageTellsOfNoWay plays where HTTP comes through and media don't: the page says so, in the words of the gateway's
// verdict, with a thing to try.
func TestPageTellsOfNoWay(t *testing.T) {
	t.Parallel()
	viewer := newAccount("viewer", "cam", auth.Play)
	g := startClosed(t, fmt.Sprintf("streams.cam.source = %q\n", startCameraOf(t, media.VP8)), newAdmin(), viewer)
	g.awaitState(t, "cam", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, mute(t, g.URL).URL+"/login?next=%2Fcam%2F#token="+viewer.token)
	p.awaitAddress("/cam/")
	p.awaitBanner("error", playLimit, "No way for the picture", "took this device for its own machine", "tell whoever runs the gateway")
	p.picture("no-way")
}

// TestPageWithoutItsScripts opens a page whose scripts a proxy keeps back: it says that it is not whole, and is loaded
// again on a click.
func TestPageWithoutItsScripts(t *testing.T) {
	t.Parallel()
	g := startGateway(t, fmt.Sprintf("streams.cam.source = %q\n", startCameraOf(t, media.VP8)))
	target, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	var whole atomic.Bool
	gateway := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".js") && !whole.Load() {
			http.Error(w, "out of order", http.StatusBadGateway)
			return
		}
		gateway.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	p := openBrowser(t, chromium).open(t, proxy.URL+"/cam/")
	p.awaitBanner("error", playLimit, "This page did not load completely")
	p.picture("without-scripts")
	whole.Store(true)
	p.click("#retry")
	p.awaitPicture(25)
}

// TestICETestPage tries the gateway's own TURN servers in a browser, which only somebody who has signed in may.
//
// Proves G13 as seen by a user.
func TestICETestPage(t *testing.T) {
	t.Parallel()
	viewer := newAccount("viewer", "cam", auth.Play)
	g := startClosed(t, embedded+publishConfig("cam"), newAdmin(), viewer)
	p := openBrowser(t, chromium).open(t, g.URL+"ice-test")
	p.click("#own")
	p.awaitText(playLimit, "Sign in to test the gateway’s servers")
	p.picture("signed-out")
	p.click("#signin")
	p.awaitAddress("/login?next=%2Fice-test")
	p.signIn(viewer.token)
	p.awaitAddress("/ice-test")
	p.click("#own")
	l := p.awaitText(playLimit, "Done", "STUN works over UDP", "TURN works over UDP", "TURN works over TCP")
	p.picture("tested")
	if len(l.Violations) > 0 {
		t.Errorf("content policy: %q", l.Violations)
	}
}
