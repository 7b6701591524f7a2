package whep_test

import (
	"bufio"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"
)

const fragmentType = "application/trickle-ice-sdpfrag"

// credential finds an attribute such as a=ice-ufrag in SDP.
func credential(sdp, name string) string {
	_, after, _ := strings.Cut(sdp, name+":")
	value, _, _ := strings.Cut(after, "\r\n")
	return value
}

// A70 to A74, B7: trickle and restart of a real session.
func TestPatch(t *testing.T) {
	s := newServer(t)
	sdp := offer(t)
	w, answer := do(t, "POST", s.URL+"/live/whep", sdp, "Content-Type", sdpType)
	url, etag := s.URL+w.Header.Get("Location"), w.Header.Get("ETag")
	ours := "a=ice-ufrag:" + credential(sdp, "a=ice-ufrag") + "\r\na=ice-pwd:" + credential(sdp, "a=ice-pwd") + "\r\n"
	const candidate = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\na=end-of-candidates\r\n"
	const other = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
	for _, c := range []struct {
		name, body, ifMatch string
		status              int
	}{
		{"A71", ours + candidate, etag, 204},
		{"A72: the ufrag says which generation", ours + candidate, "", 204},
		{"A72: another ufrag", other, "", 428},
		{"J71", candidate, "", 400},
		{"J71: the ETag says which", candidate, etag, 204},
		{"A73: * without a restart", ours + candidate, "*", 204},
		{"A70: malformed", "hello", etag, 400},
		{"A74", "a=ice-ufrag:EsAw\r\na=ice-pwd:" + credential(sdp, "a=ice-pwd") + "\r\n", "*", 400},
		{"A73", other, `"*"`, 200},
		{"A72: stale now", other + candidate, etag, 412},
	} {
		headers := []string{"Content-Type", fragmentType}
		if c.ifMatch != "" {
			headers = append(headers, "If-Match", c.ifMatch)
		}
		w, body := do(t, "PATCH", url, c.body, headers...)
		if w.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, w.StatusCode, body)
		}
		if c.status != 200 {
			continue
		}
		if w.Header.Get("ETag") == "" || w.Header.Get("ETag") == etag || w.Header.Get("Content-Type") != fragmentType ||
			credential(body, "a=ice-ufrag") == credential(answer, "a=ice-ufrag") || !strings.Contains(body, "a=candidate:") || !strings.Contains(body, "a=end-of-candidates") {
			t.Errorf("%s: %v\n%s", c.name, w.Header, body)
		}
	}
	if w, body := do(t, "PATCH", url, answer, "Content-Type", sdpType); w.StatusCode != http.StatusConflict { // B7
		t.Errorf("an answer: %d %s", w.StatusCode, body)
	}
}

// B6, B7: a viewer that takes our offer connects.
func TestCounterOffer(t *testing.T) {
	s := newServer(t)
	w, ours := do(t, "POST", s.URL+"/live/whep", "")
	if w.StatusCode != http.StatusNotAcceptable || !regexp.MustCompile(`^application/sdp; valid-until="[A-Z][a-z]{2}, .* GMT"$`).MatchString(w.Header.Get("Content-Type")) {
		t.Fatalf("%d %v", w.StatusCode, w.Header)
	}
	url := s.URL + w.Header.Get("Location")
	connected, theirs := takeOffer(t, ours)
	for _, c := range []struct {
		name, body string
		status     int
	}{{"malformed", "hello", 400}, {"answer", theirs, 204}, {"second answer", theirs, 409}} {
		if w, body := do(t, "PATCH", url, c.body, "Content-Type", sdpType); w.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, w.StatusCode, body)
		}
	}
	<-connected
	if w, _ := do(t, "DELETE", url, ""); w.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %d", w.StatusCode)
	}
}

// takeOffer answers an offer as a browser does. connected is closed once it is.
func takeOffer(t *testing.T, offer string) (connected <-chan struct{}, answer string) {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(defaultCodecs(t))).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	done := make(chan struct{})
	connect := sync.OnceFunc(func() { close(done) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			connect()
		}
	})
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	description, err := pc.CreateAnswer(nil)
	if err == nil {
		err = pc.SetLocalDescription(description)
	}
	if err != nil {
		t.Fatal(err)
	}
	<-gathered
	return done, pc.LocalDescription().SDP
}

func defaultCodecs(t *testing.T) *webrtc.MediaEngine {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	return m
}

// B15, B16: a real session tells of its stream, and of the layer that can be chosen.
func TestEventsOfASession(t *testing.T) {
	s := newServer(t)
	w, _ := do(t, "POST", s.URL+"/live/whep", offer(t), "Content-Type", sdpType)
	location := s.URL + w.Header.Get("Location")
	w, _ = do(t, "POST", location+"/sse", `["active","layers"]`, "Content-Type", "application/json")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+w.Header.Get("Location"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	events, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	seen := map[string]string{}
	for len(seen) < 2 && lines.Scan() {
		kind, isEvent := strings.CutPrefix(lines.Text(), "event: ")
		if isEvent && lines.Scan() {
			seen[kind] = lines.Text()
		}
	}
	if seen["active"] != "data: {}" || !strings.Contains(seen["layers"], `"encodingId":"main"`) {
		t.Errorf("%v, %v", seen, lines.Err())
	}
	for body, want := range map[string]int{`{"encodingId":"main"}`: 200, `{}`: 200, `{"encodingId":"q"}`: 404, `{"maxWidth":-1}`: 400} {
		if w, text := do(t, "POST", location+"/layer", body, "Content-Type", "application/json"); w.StatusCode != want {
			t.Errorf("%s: %d %s", body, w.StatusCode, text)
		}
	}
	do(t, "DELETE", location, "")
	for lines.Scan() { // until the stream ends with its session
	}
	if w, _ := do(t, "POST", location+"/layer", "{}", "Content-Type", "application/json"); w.StatusCode != 404 {
		t.Errorf("layer after the session: %d", w.StatusCode)
	}
}
