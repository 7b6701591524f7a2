package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/internal/testviewer"
)

func request(t *testing.T, method, url, body string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/sdp")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// A4, A5, B3, B4, B10: which endpoints a stream has, and what those who come to the wrong one are told.
func TestEndpoints(t *testing.T) {
	g := start(t, "[streams.studio]\nsource = \"publish\"\n[streams.\"pub*\"]\nsource = \"publish\"\n[streams.cam]\nsource = \"demo:\"\n")
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"HEAD", "/studio/whip", "", 204},
		{"GET", "/studio/whip", "", 204},
		{"OPTIONS", "/studio/whip", "", 200},
		{"HEAD", "/studio/whep", "", 200},
		{"GET", "/studio/whep", "", 204},
		{"PUT", "/studio/whip", "", 405},
		{"GET", "/studio/publish", "", 200},
		{"POST", "/studio/whip", "v=0\r\n", 400},
		{"POST", "/studio/whep", publishOffer("recvonly"), 409},
		{"POST", "/pub1/whep", publishOffer("recvonly"), 409},
		{"POST", "/nothing/whip", publishOffer("sendonly"), 404},
		{"POST", "/cam/whip", publishOffer("sendonly"), 403},
		{"GET", "/studio/whip/none", "", 404},
		{"DELETE", "/studio/whip/none", "", 404},
		{"PATCH", "/studio/whip/none", "v=0\r\n", 404},
		{"GET", "/studio/whep/none/sse", "", 404},
	} {
		if got := request(t, c.method, g.url+c.path, c.body); got.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got.StatusCode, c.status)
		}
	}
}

// A stream of a pattern is there while somebody needs it.
func TestPatternStreamsComeAndGo(t *testing.T) {
	g := start(t, "[streams.\"pub*\"]\nsource = \"publish\"\n")
	r := request(t, "POST", g.url+"/pub1/whip", publishOffer("sendonly"))
	if r.StatusCode != http.StatusCreated {
		t.Fatalf("POST: %d", r.StatusCode)
	}
	if got := request(t, "GET", g.url+"/api/v1/streams/pub1", ""); got.StatusCode != http.StatusOK {
		t.Errorf("while it is published: %d", got.StatusCode)
	}
	if got := request(t, "DELETE", g.url+r.Header.Get("Location"), ""); got.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %d", got.StatusCode)
	}
	eventually(t, "the stream is gone", func() bool {
		return request(t, "GET", g.url+"/api/v1/streams/pub1", "").StatusCode == http.StatusNotFound
	})
}

// A pulled stream of a pattern is started for who watches, plays, and goes some time after the last viewer.
func TestPatternStreamIsPulled(t *testing.T) {
	g := start(t, "[streams.\"demo-*\"]\nsource = \"demo:\"\non_demand_close_after = \"1s\"\n")
	if status, _ := g.get(t, "/api/v1/streams/demo-1", nil); status != http.StatusNotFound {
		t.Errorf("before anybody asks: %d", status)
	}
	v := watch(t, g.url+"/demo-1/whep", testviewer.Browser())
	receive(t, v.Video, 100)
	if status, body := g.get(t, "/api/v1/streams/demo-1", nil); status != http.StatusOK || !strings.Contains(body, `"ready"`) {
		t.Errorf("while it is watched: %d %s", status, body)
	}
	if status, err := v.Delete(t.Context()); status != http.StatusOK || err != nil {
		t.Errorf("DELETE: %d, %v", status, err)
	}
	eventually(t, "the stream is gone", func() bool {
		status, _ := g.get(t, "/api/v1/streams/demo-1", nil)
		return status == http.StatusNotFound
	})
	if strings.Contains(g.log.String(), "level=WARN") || strings.Contains(g.log.String(), "level=ERROR") {
		t.Errorf("the log complains: %s", g.log)
	}
}

// publishOffer is an offer of nobody who is there.
func publishOffer(direction string) string {
	return strings.Join([]string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0",
		"m=video 9 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:0", "a=" + direction, "a=rtcp-mux", "a=setup:actpass",
		"a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"),
		"a=rtpmap:96 H264/90000", "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", "a=rtcp-fb:96 nack pli", "",
	}, "\r\n")
}
