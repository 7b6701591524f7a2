package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"sluice/media"
)

// backend is another server that knows who may, as MediaMTX asks it.
type backend struct {
	*httptest.Server
	hanging chan struct{} // closed at the end

	mu    sync.Mutex
	hangs bool           // guarded by mu
	asked []backendAsked // guarded by mu
}

// backendAsked is the body of a question.
type backendAsked struct {
	User, Password, Token, IP, Action, Path, Protocol, ID, Query, UserAgent string
}

// newBackend lets the token "admin" do everything, and ann watch the stream cam.
func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{hanging: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(b.answer))
	t.Cleanup(b.Close)
	t.Cleanup(func() { close(b.hanging) })
	return b
}

func (b *backend) answer(w http.ResponseWriter, r *http.Request) {
	var q backendAsked
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.asked = append(b.asked, q)
	hangs := b.hangs
	b.mu.Unlock()
	switch {
	case hangs:
		select {
		case <-b.hanging:
		case <-r.Context().Done():
		}
	case q.Token == "admin":
	case q.User != "ann" || q.Password != "right":
		w.WriteHeader(http.StatusUnauthorized)
	case q.Action != "read" || q.Path != "cam":
		w.WriteHeader(http.StatusForbidden)
	}
}

func (b *backend) hang() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hangs = true
}

// wasAsked tells whether a question was asked.
func (b *backend) wasAsked(fits func(backendAsked) bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.asked {
		if fits(q) {
			return true
		}
	}
	return false
}

// TestAnotherServerKnows asks a server that allows one stream and refuses another, and then says nothing any more: 503 is
// for those who ask anew, and whoever plays goes on.
//
// Proves I5 as seen by a user.
func TestAnotherServerKnows(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	camera := startCameraOf(t, media.VP8)
	g := startGateway(t, fmt.Sprintf("auth.mode = \"http\"\nauth.http.url = %q\nstreams.cam.source = %q\nstreams.other.source = %q\n", b.URL+"/auth", camera, camera))
	visitor.show(t, g.URL, "admin")
	g.awaitState(t, "cam", "ready", cameraLimit)
	p := openBrowser(t, chromium).open(t, g.page("cam"))
	p.awaitAddress("/login?next=%2Fcam%2F")
	p.click("#switch")
	p.enter("#user", "ann")
	p.enter("#password", "right")
	p.click("#by-name [type=submit]")
	p.awaitAddress("/cam/")
	p.awaitPicture(10)
	if s := g.awaitRole(t, "cam", "play", 1)[0]; s.Principal != "http:ann" {
		t.Errorf("the session is that of %q", s.Principal)
	}
	if !b.wasAsked(func(q backendAsked) bool {
		return q.User == "ann" && q.Action == "read" && q.Path == "cam" && q.Protocol == "webrtc" && q.IP == "127.0.0.1" && q.UserAgent != ""
	}) {
		t.Errorf("the questions were %+v", b.asked)
	}
	for user, want := range map[string]int{"ann": http.StatusForbidden, "eve": http.StatusUnauthorized} {
		if r, text := g.call(t, "POST", "other/whep", "v=0", "Content-Type", "application/sdp", "Authorization", "Bearer "+user+":right"); r.StatusCode != want {
			t.Errorf("%s asks for another stream: %d %s", user, r.StatusCode, text)
		}
	}

	b.hang()
	before := p.look().FramesDecoded
	began := time.Now()
	r, text := g.call(t, "POST", "other/whep", "v=0", "Content-Type", "application/sdp", "Authorization", "Bearer ann:right")
	if took := time.Since(began); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || took > 10*time.Second { // it is given three
		t.Errorf("the server says nothing: %d %s after %v", r.StatusCode, text, took)
	}
	if r, _ := g.call(t, "GET", "healthz", "", "Authorization", ""); r.StatusCode != http.StatusOK {
		t.Errorf("/healthz: %d", r.StatusCode)
	}
	p.await(playLimit, func(l look) string {
		if l.FramesDecoded < before+25 || l.State != "playing" {
			return fmt.Sprintf("while the server said nothing, %d pictures came", l.FramesDecoded-before)
		}
		return ""
	})
	q := openBrowser(t, chromium).open(t, g.page("other"))
	q.awaitText(playLimit, "Who you are cannot be found out", "Try again")
	q.picture("unavailable")
	g.checkNotSaid(t, "right:", ":right")
}
