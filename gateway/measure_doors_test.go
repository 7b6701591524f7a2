package gateway_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/turn"
)

// askSecurely asks by a client that takes the gateway's own certificate.
func (r *running) askSecurely(t *testing.T, client *secure, path, token string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	w, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	return read(t, w)
}

// allocate asks the gateway's TURN server for a relay, with credentials of a secret.
func allocate(t *testing.T, url, secret string) error {
	t.Helper()
	username, credential := turn.Mint(secret, "tests", time.Hour, time.Now())
	_, err := turn.Check(t.Context(), turn.CheckOptions{URL: url, Username: username, Credential: credential})
	return err
}

// I6, I30: what stands at the doors is counted: who was let in and who was not, the certificate, and what is relayed.
// No name, token or address is told.
func TestDoorsAreMeasured(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	const secret = "a-secret-of-tests"
	admin, viewer := newPerson("administrator", `"metrics"`, "*"), newPerson("bystander", `"play"`, "cam")
	g := startAt(t, "tls = \"self-signed\"\n", closed(admin, viewer)+
		"[turn]\nmode = \"embedded\"\nlisten_udp = \"127.0.0.1:0\"\nlisten_tcp = \"\"\nlisten_tls = \"\"\nsecret = \""+secret+"\"\n")
	client := newSecure(t)
	relay := regexp.MustCompile(`turn:127\.0\.0\.1:\d+\?transport=udp`).FindString(g.askSecurely(t, client, "/api/v1/ice", viewer.token))
	before := g.askSecurely(t, client, "/metrics", admin.token)
	for path, token := range map[string]string{"/cam/": "", "/studio/": "wrong", "/studio/snapshot.jpg": viewer.token, "/cam/?": viewer.token} {
		g.askSecurely(t, client, path, token)
	}
	if err := allocate(t, relay, secret); err != nil {
		t.Error(err)
	}
	if err := allocate(t, relay, "another"); err == nil {
		t.Error("credentials of another secret are taken")
	}
	text := g.askSecurely(t, client, "/metrics", admin.token)
	for result, want := range map[string]int{"allowed": 2, "no_credentials": 1, "invalid": 1, "forbidden": 1, "backoff": 0, "unavailable": 0} {
		name := `sluice_auth_total{mode="internal",result="` + result + `"}`
		if n := sample(t, text, name) - sample(t, before, name); n != want { // this scrape too is allowed
			t.Errorf("%d more are %s, want %d", n, result, want)
		}
	}
	for name, want := range map[string]int{
		`sluice_config_reloads_total{result="refused"}`: 0, `sluice_turn_allocations_total`: 1,
	} {
		if n := sample(t, text, name); n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
	// A request over UDP is sent again where the answer does not come at once.
	if n := sample(t, text, `sluice_turn_refused_total{reason="unauthorized"}`); n < 1 {
		t.Error("the wrong credentials are not counted")
	}
	for name, within := range map[string][2]time.Duration{
		"sluice_certificate_expiry_timestamp_seconds": {24 * time.Hour, 825 * 24 * time.Hour},
		"sluice_config_last_reload_timestamp_seconds": {-time.Minute, time.Second},
	} {
		m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		seconds, _ := strconv.ParseFloat(m[1], 64) // ours
		if left := time.Until(time.Unix(int64(seconds), 0)); left < within[0] || left > within[1] {
			t.Errorf("%s is %v from now", name, left)
		}
	}
	for _, hidden := range []string{"administrator", "bystander", secret, "127.0.0.1", admin.token} {
		if strings.Contains(text, hidden) {
			t.Errorf("the metrics tell %q", hidden)
		}
	}
}
