package gateway_test

import (
	"strings"
	"testing"
)

// Who may do everything may ask for the list and for ICE servers where there are no streams, too.
func TestNoStreams(t *testing.T) {
	for name, toml := range map[string]string{
		"nothing at all":   "",
		"a pattern":        "[streams.\"room-*\"]\nsource = \"publish\"\n",
		"anonymous may":    "[auth]\nmode = \"internal\"\n[[auth.users]]\nname = \"anonymous\"\nallow = [{ actions = [\"play\"], streams = [\"*\"] }]\n",
		"anonymous may it": "[auth]\nmode = \"internal\"\n[[auth.users]]\nname = \"anonymous\"\nallow = [{ actions = [\"play\"], streams = [\"room-*\"] }]\n[streams.\"room-*\"]\nsource = \"publish\"\n",
	} {
		g := start(t, toml)
		if w := g.ask(t, "GET", "/api/v1/ice", "", ""); w.StatusCode != 200 {
			t.Errorf("%s: ICE servers: %d %s", name, w.StatusCode, read(t, w))
		}
		if w := g.ask(t, "GET", "/api/v1/streams", "", ""); w.StatusCode != 200 && name != "anonymous may it" {
			t.Errorf("%s: streams: %d %s", name, w.StatusCode, read(t, w))
		}
	}
}

// Who watches does not learn where the camera is; who runs the gateway does.
func TestViewersDoNotLearnOfSources(t *testing.T) {
	viewer, admin := newPerson("viewer", `"play"`, "*"), newPerson("admin", `"admin", "play"`, "*")
	g := start(t, closed(viewer, admin)+"[streams.door]\nsource = \"rtsp://127.0.0.1:1/hidden\"\n")
	eventually(t, "the camera has failed", func() bool {
		return strings.Contains(read(t, g.ask(t, "GET", "/api/v1/streams/door", admin.token, "")), `"state":"failed"`)
	})
	for path, body := range map[string]string{"/api/v1/streams": "", "/api/v1/streams/door": "", "/door/whep": publishOffer("recvonly")} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		seen := read(t, g.ask(t, method, path, viewer.token, body))
		if strings.Contains(seen, "127.0.0.1:1") || strings.Contains(seen, "hidden") {
			t.Errorf("%s tells a viewer %s", path, seen)
		}
		if known := read(t, g.ask(t, method, path, admin.token, body)); !strings.Contains(known, "127.0.0.1:1") {
			t.Errorf("%s tells the administrator %s", path, known)
		}
	}
}

// A page of another site does nothing here by a browser that need not show anything.
func TestOtherSitesDoNothing(t *testing.T) {
	g := startAt(t, "allow_origins = [\"https://ours.example\"]\n", "[streams.cam]\nsource = \"demo:\"\n")
	for name, c := range map[string]struct {
		headers []string
		refused bool
	}{
		"another site":         {[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, true},
		"an older browser":     {[]string{"Origin", "https://evil.example"}, true},
		"a site that may":      {[]string{"Origin", "https://ours.example", "Sec-Fetch-Site", "cross-site"}, false},
		"no browser":           {nil, false},
		"our own page":         {[]string{"Sec-Fetch-Site", "same-origin"}, false},
		"by a token of theirs": {[]string{"Origin", "https://evil.example", "Authorization", "Bearer x"}, false},
	} {
		w := g.ask(t, "POST", "/cam/whep", "", publishOffer("recvonly"), c.headers...)
		if (w.StatusCode == 403) != c.refused {
			t.Errorf("%s: %d", name, w.StatusCode)
		}
	}
}
