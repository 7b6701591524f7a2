package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// varying are the parts of an offer that are another one each time.
var varying = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^o=rtc \d+`), regexp.MustCompile(`(?m)^a=fingerprint:sha-256 .*$`), regexp.MustCompile(`(?m)^a=ice-(ufrag|pwd):.*$`),
	regexp.MustCompile(`(?m)^a=ssrc:\d+ (cname|msid):.*$`), regexp.MustCompile(`(?m)^a=msid:.*$`),
}

// shapeOf is an offer without them.
func shapeOf(offer string) string {
	offer = strings.ReplaceAll(offer, "\r\n", "\n")
	for _, v := range varying {
		offer = v.ReplaceAllString(offer, "…")
	}
	return strings.TrimSpace(offer)
}

// TestOBSOffer holds the publisher that stands for OBS to what OBS itself was seen to send.
//
// Proves D1 and D2 of our own stand-in.
func TestOBSOffer(t *testing.T) {
	t.Parallel()
	for recorded, layers := range map[string]int{"obs-32.2.2.sdp": 1, "obs-32.2.2-simulcast2.sdp": 2} {
		t.Run(recorded, func(t *testing.T) {
			t.Parallel()
			var header http.Header
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				header = r.Header
				w.WriteHeader(http.StatusTeapot)
			}))
			defer server.Close()
			args := []string{server.URL, "--audio", obsSound(t)}
			for range layers {
				args = append(args, "--video", obsVideo(t, 320, 180))
			}
			obs := startPeer(t, "obs.mjs", args...)
			obs.awaitTold(t, "refused", answerLimit, func(l told) bool { return l.Status == http.StatusTeapot })
			want, err := os.ReadFile("../negotiation/testdata/offers/" + recorded)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := shapeOf(obs.last("offer").SDP), shapeOf(string(want)); got != want {
				t.Errorf("the offer is not OBS's:\n%s\nwant\n%s", got, want)
			}
			if header.Get("Content-Type") != "application/sdp" || !strings.HasPrefix(header.Get("User-Agent"), "Mozilla/5.0 (OBS-Studio/32") || len(header) != 4 {
				t.Errorf("the request has the header %v", header)
			}
		})
	}
}
