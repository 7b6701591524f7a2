package e2e

import (
	"fmt"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"sluice/auth"
	"sluice/media"
)

// desk is what the publish page shows.
type desk struct {
	State, Status, Trouble string
	Rows                   []struct{ Rid, Frames, Kbps string }
}

func (p *page) desk() desk {
	p.t.Helper()
	var d desk
	p.evaluate(`({
		state: document.getElementById('status').dataset.state,
		status: document.getElementById('status').innerText,
		trouble: document.getElementById('trouble').hidden ? '' : document.getElementById('trouble').innerText,
		rows: [...document.querySelectorAll('#meter-rows tr')].map((row) => ({ ...row.dataset })),
	})`, &d)
	return d
}

// awaitDesk waits until the publish page is in a state, with words of trouble if there are any to wait for.
func (p *page) awaitDesk(state, words string) desk {
	p.t.Helper()
	var d desk
	eventually(p.t, playLimit, func() string {
		if d = p.desk(); d.State != state || !strings.Contains(d.Trouble, words) {
			return fmt.Sprintf("the publish page is %+v, want state %s and %q", d, state, words)
		}
		return ""
	})
	return d
}

func (p *page) click(selector string) {
	p.t.Helper()
	if err := p.browser.do(map[string]any{"do": "click", "page": p.number, "selector": selector}, nil); err != nil {
		p.t.Fatalf("%s: click %s: %v", p.browser.kind.name, selector, err)
	}
}

var filming = []string{"camera", "microphone"}

// TestPublishPage publishes with the gateway's own page in both browsers: the meter counts, the player page shows
// the picture, Stop ends it.
func TestPublishPage(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig(chromium.name, firefox.name))
	for _, k := range []kind{chromium, firefox} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			permissions := filming
			if k.name == firefox.name {
				permissions = nil
			}
			p := openBrowser(t, k).openAs(t, g.page(k.name)+"publish", permissions)
			p.click("#start")
			p.awaitDesk("live", "")
			before := p.awaitMeter("0")
			g.awaitState(t, k.name, "ready", answerLimit)
			v := g.watch(t, k.name)
			v.awaitFrames(t, 20)
			v.awaitPackets(t, media.Audio, 20)
			v.close()
			p.awaitMeter(before)
			p.screenshot("live-" + k.name)
			p.click("#stop")
			p.awaitDesk("idle", "")
			g.awaitRole(t, k.name, "publish", 0)
		})
	}
}

// awaitMeter waits until the first row of the meter has counted other than some number of pictures.
func (p *page) awaitMeter(other string) string {
	p.t.Helper()
	frames := ""
	eventually(p.t, playLimit, func() string {
		d := p.desk()
		if len(d.Rows) == 0 || d.Rows[0].Frames == other || d.Rows[0].Kbps == "" {
			return fmt.Sprintf("the meter stands still at %+v", d.Rows)
		}
		frames = d.Rows[0].Frames
		return ""
	})
	return frames
}

// chooseSource chooses what to publish, once that can be done: it can't while the browser is asked for a device.
func (p *page) chooseSource(source string) {
	p.t.Helper()
	p.awaitTrue(fmt.Sprintf(`(() => {
		const list = document.getElementById('source');
		if (list.disabled) {
			return false;
		}
		list.value = %q;
		list.dispatchEvent(new Event('change', { bubbles: true }));
		return true;
	})()`, source), "the source can't be chosen")
}

// awaitTrue waits until a JavaScript expression is true in the page; otherwise says what it means that it is not.
func (p *page) awaitTrue(script, otherwise string) {
	p.t.Helper()
	eventually(p.t, playLimit, func() string {
		var yes bool
		if p.evaluate(script, &yes); yes {
			return ""
		}
		return otherwise
	})
}

// TestPublishPageMicrophone publishes sound alone.
func TestPublishPageMicrophone(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("radio"))
	p := openBrowser(t, chromium).openAs(t, g.page("radio")+"publish", filming)
	p.chooseSource("microphone")
	p.awaitTrue(`document.getElementById('open').hidden && !document.getElementById('curtain').hidden &&
		!document.getElementById('source').disabled`, "the page has no sound alone")
	p.click("#start")
	p.awaitDesk("live", "")
	if s := g.awaitState(t, "radio", "ready", answerLimit); len(s.Tracks) != 1 || s.Tracks[0].Kind != "audio" {
		t.Errorf("the stream has %+v, want sound alone", s.Tracks)
	}
	v := g.watch(t, "radio")
	v.awaitPackets(t, media.Audio, 30)
	v.close()
	checkPackets(t, media.Audio, v.snapshot(media.Audio).packets)
	p.screenshot("microphone")
}

// TestPublishPageIsReplaced publishes with a second page of a user who may do nothing else: it takes over, and the first
// one knows and stays away.
//
// Proves A14 as seen by a user.
func TestPublishPageIsReplaced(t *testing.T) {
	t.Parallel()
	anchor := newAccount("anchor", "studio", auth.Publish)
	g := startClosed(t, publishConfig("studio"), newAdmin(), anchor)
	open := func() *page {
		p := openBrowser(t, chromium).openAs(t, g.URL+"login?next=%2Fstudio%2Fpublish#token="+anchor.token, filming)
		p.awaitAddress("/studio/publish")
		p.click("#start")
		p.awaitDesk("live", "")
		return p
	}
	first := open()
	second := open()
	first.awaitDesk("failed", "Somebody else publishes here now")
	second.awaitMeter("0")
	second.awaitDesk("live", "")
}

// TestPublishPageRefused has the browser refuse the camera: the page says so, and what to do.
func TestPublishPageRefused(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	p := openBrowser(t, chromium).openAs(t, g.page("studio")+"publish", []string{})
	p.click("#start")
	p.awaitDesk("failed", "The browser gives no access")
	p.screenshot("refused")
}

// TestPublishPageInsecure opens the page by plain HTTP under the name of another machine: it says why there is no
// camera, before anybody presses Start in vain.
func TestPublishPageInsecure(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	gateway, err := url.Parse(g.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(gateway)
		r.Out.Host = gateway.Host
		r.Out.Header.Del("Origin")
	}})
	t.Cleanup(proxy.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(proxy.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	p := openBrowser(t, chromium).open(t, "http://"+insecureHost+":"+port+"/studio/publish")
	p.click("#start")
	p.awaitDesk("failed", "HTTPS")
	p.screenshot("insecure")
}
