package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const playLimit = 40 * time.Second // for a page to play, on a busy machine

// page is a tab of a browser.
type page struct {
	t       *testing.T
	browser *browser
	number  int
}

// look is what is to be seen and heard on a page at one moment, as browser/probe.js tells it.
type look struct {
	Born                       string // another one after a reload
	State, Failure, Tracks     string // of the player page's root
	Frames                     string // as the player page counts them itself
	StartedIn                  string // milliseconds
	FramesDecoded, PacketsLost int    // as WebRTC counts them
	AudioPackets, VideoBytes   int
	Codecs                     map[string]string // MIME types by kind, as WebRTC tells them
	AudioEnergy, Loudness      float64
	Pitch                      float64 // Hz of what is the loudest in the sound
	Connections, Width, Height int
	ShownFrames                int
	CurrentTime                float64
	Paused                     bool
	Picture                    []int // grey values of 32x18 points
	Banner, Text               string
	Violations, Complaints     []string
}

// open opens a URL in a tab of its own, which is closed after the test; a failed test leaves its picture.
func (b *browser) open(t *testing.T, url string) *page {
	t.Helper()
	return b.openAs(t, url, nil)
}

// openAs is open for a user who has allowed the page's site no more than some permissions; nil leaves them as the
// browser has them.
func (b *browser) openAs(t *testing.T, url string, permissions []string) *page {
	t.Helper()
	b.slots <- struct{}{}
	t.Cleanup(func() { <-b.slots })
	p := &page{t: t, browser: b}
	if err := b.do(map[string]any{"do": "open", "url": url, "permissions": permissions}, &p.number); err != nil {
		t.Fatalf("%s: open %s: %v", b.kind.name, url, err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.screenshot("failed-" + b.kind.name)
		}
		if err := b.do(map[string]any{"do": "close", "page": p.number}, nil); err != nil {
			t.Errorf("%s: close a page: %v", b.kind.name, err)
		}
	})
	return p
}

func (p *page) look() look {
	p.t.Helper()
	l, err := p.glance()
	if err != nil {
		p.t.Fatalf("%s: look: %v", p.browser.kind.name, err)
	}
	return l
}

// glance is look for a page that may be on its way to another, where there is nothing to see for a moment.
func (p *page) glance() (l look, err error) {
	err = p.browser.do(map[string]any{"do": "look", "page": p.number}, &l)
	return l, err
}

// evaluate runs a JavaScript expression in the page, and waits for it if it is a promise.
func (p *page) evaluate(script string, result any) {
	p.t.Helper()
	if err := p.browser.do(map[string]any{"do": "evaluate", "page": p.number, "script": script}, result); err != nil {
		p.t.Fatalf("%s: evaluate %s: %v", p.browser.kind.name, script, err)
	}
}

// leave goes to another URL in the same tab, as a user does.
func (p *page) leave(url string) {
	p.t.Helper()
	if err := p.browser.do(map[string]any{"do": "leave", "page": p.number, "url": url}, nil); err != nil {
		p.t.Fatalf("%s: leave for %s: %v", p.browser.kind.name, url, err)
	}
}

// screenshot keeps a picture of the page among the artefacts.
func (p *page) screenshot(name string) {
	p.t.Helper()
	path := artefact(p.t, "-"+name+".png")
	if err := p.browser.do(map[string]any{"do": "screenshot", "page": p.number, "path": path}, nil); err != nil {
		p.t.Errorf("%s: screenshot: %v", p.browser.kind.name, err)
	}
}

// await looks until missing has no more words, and returns the last look.
func (p *page) await(limit time.Duration, missing func(look) string) look {
	p.t.Helper()
	var l look
	eventually(p.t, limit, func() string {
		var err error
		if l, err = p.glance(); err != nil {
			return fmt.Sprintf("%s: look: %v", p.browser.kind.name, err)
		}
		if words := missing(l); words != "" {
			return fmt.Sprintf("%s: %s (state %q, banner %q, complaints %q)", p.browser.kind.name, words, l.State, l.Banner, l.Complaints)
		}
		return ""
	})
	return l
}

// awaitPicture waits until the page plays, has decoded a number of frames more than at first, and its picture moves.
func (p *page) awaitPicture(frames int) look {
	p.t.Helper()
	first := p.await(playLimit, func(l look) string {
		if l.State != "playing" || len(l.Picture) == 0 {
			return "no picture"
		}
		return ""
	})
	return p.await(playLimit, func(l look) string {
		switch {
		case l.FramesDecoded-first.FramesDecoded < frames:
			return fmt.Sprintf("decoded %d frames, want %d more than %d", l.FramesDecoded, frames, first.FramesDecoded)
		case !differ(first.Picture, l.Picture):
			return "the picture stands still"
		case l.Paused:
			return "the video is paused"
		}
		return ""
	})
}

// awaitSound waits until packets of sound have come, and what they decode to is not silence.
func (p *page) awaitSound() look {
	p.t.Helper()
	return p.await(playLimit, func(l look) string {
		if l.AudioPackets < 10 || l.AudioEnergy < 0.001 && l.Loudness < 0.005 {
			return fmt.Sprintf("no sound: %d packets, energy %.4f, loudness %.4f", l.AudioPackets, l.AudioEnergy, l.Loudness)
		}
		return ""
	})
}

// testTone is the pitch of the test streams' sound in Hz.
const testTone = 440

// awaitTone is awaitSound that wants a tone of a pitch, within five of a hundred. Chromium alone hears it.
func (p *page) awaitTone(hz float64) look {
	p.t.Helper()
	p.awaitSound()
	return p.await(playLimit, func(l look) string {
		if l.Pitch < hz*0.95 || l.Pitch > hz*1.05 {
			return fmt.Sprintf("the sound has %.0f Hz, want %.0f", l.Pitch, hz)
		}
		return ""
	})
}

// awaitText waits until all the words stand on the page.
func (p *page) awaitText(limit time.Duration, words ...string) look {
	p.t.Helper()
	return p.await(limit, func(l look) string {
		for _, w := range words {
			if !strings.Contains(l.Text, w) {
				return fmt.Sprintf("the page does not say %q but %q", w, l.Text)
			}
		}
		return ""
	})
}

// awaitBanner waits for a state of the page in which its banner says all the words, and returns the look.
func (p *page) awaitBanner(state string, limit time.Duration, words ...string) look {
	p.t.Helper()
	return p.await(limit, func(l look) string {
		if l.State != state {
			return "the state is not " + state
		}
		for _, w := range words {
			if !strings.Contains(l.Banner, w) {
				return fmt.Sprintf("the banner does not say %q", w)
			}
		}
		return ""
	})
}

// differ says whether two pictures differ by more than noise: some points by a tenth of the scale.
func differ(a, b []int) bool {
	changed := 0
	for i := range min(len(a), len(b)) {
		if d := a[i] - b[i]; d > 25 || d < -25 {
			changed++
		}
	}
	return changed >= 3
}
