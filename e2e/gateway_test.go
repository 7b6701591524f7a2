package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	listenLimit   = 30 * time.Second
	shutdownLimit = 5 * time.Second  // of the contract
	stopLimit     = 25 * time.Second // for a busy machine, which keeps a process long after its last word
)

// gatewayProcess is a running gateway.
type gatewayProcess struct {
	*process
	URL    string // with its last slash
	config string // file
}

// stream is what the API tells of a stream.
type stream struct {
	Name, State, Source, Error string
	Viewers                    int
	Transcodes                 []made
	Tracks                     []struct {
		ID, Kind, Codec, Skipped string
		Width, Height            int
		BFrames                  bool `json:"b_frames"`
	}
}

// sessionInfo is what the API tells of a session.
type sessionInfo struct {
	ID, Stream, Role, State, Protocol, Way, Principal string
	WayReason                                         string `json:"way_reason"`
	RemoteAddress                                     string `json:"remote_address"`
	Delivery                                          []struct {
		Codec, Rendition, Reason string
		Transcoded               bool
	}
	Stats struct {
		PacketsSent   int `json:"packets_sent"`
		PacketsResent int `json:"packets_resent"`
	}
	Verdict struct{ Reason, Sentence string }
}

// isOver reports whether the session has ended without ever being connected.
func (s sessionInfo) isOver() bool { return s.State == "closed" }

// globals are the keys that every configuration of a test begins with: no port is fixed.
const globals = `
http.listen = "127.0.0.1:0"
webrtc.listen_udp = "0"
`

// startGateway runs a gateway with a configuration, which goes below globals, until the end of the test. It then
// has to end cleanly and to have written nothing of a crash. In closedTest it wants a token, which client shows.
func startGateway(t testing.TB, config string) *gatewayProcess {
	t.Helper()
	closed, token := closedConfig(t)
	g := startGatewayAs(t, globals+closed+config)
	if token != "" {
		visitor.show(t, g.URL, token)
	}
	t.Cleanup(func() { g.stop(t) })
	return g
}

// startGatewayAs is startGateway with a whole configuration, and without a look at its end.
func startGatewayAs(t testing.TB, config string) *gatewayProcess {
	t.Helper()
	file := writeConfig(t, config)
	g := &gatewayProcess{process: start(t, "gateway", command(program, "--config", file)), config: file}
	t.Cleanup(func() {
		if err := os.WriteFile(artefact(t, ".log"), []byte(g.output.String()), 0o600); err != nil {
			t.Error(err)
		}
	})
	g.URL = g.await(t, `Open (https?://\S+) in a browser`, listenLimit)
	return g
}

// writeConfig writes a configuration that only its owner may read.
func writeConfig(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// workerEnd is the last words of a worker that has crashed, as the gateway's log quotes them.
var workerEnd = regexp.MustCompile(`(?m) stderr=".*$`)

// stop ends the gateway as an operator does, and returns how long that took. A test that has stopped it already may call it again.
func (g *gatewayProcess) stop(t testing.TB) time.Duration {
	t.Helper()
	code, took := g.terminate(stopLimit)
	if code != 0 {
		t.Errorf("the gateway ended with %d after %v, want 0; its log:\n%s", code, took, g.output)
	}
	if log := workerEnd.ReplaceAllString(g.output.String(), ""); strings.Contains(log, "goroutine ") || strings.Contains(log, "panic") {
		t.Errorf("the log tells of a crash:\n%s", log)
	}
	return took
}

// page is the URL of a stream's page.
func (g *gatewayProcess) page(stream string) string { return g.URL + stream + "/" }

// whep is the URL of a stream's WHEP endpoint.
func (g *gatewayProcess) whep(stream string) string { return g.URL + stream + "/whep" }

// get fetches a path and returns status and body.
func (g *gatewayProcess) get(t testing.TB, path string) (int, string) {
	t.Helper()
	r, err := client.Get(g.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func (g *gatewayProcess) fetch(t testing.TB, path string, into any) {
	t.Helper()
	status, body := g.get(t, path)
	if status != http.StatusOK {
		t.Fatalf("GET /%s: status %d: %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("GET /%s: %v in %s", path, err, body)
	}
}

// stream asks the API for one stream.
func (g *gatewayProcess) stream(t testing.TB, name string) stream {
	t.Helper()
	var s stream
	g.fetch(t, "api/v1/streams/"+name, &s)
	return s
}

// sessions asks the API for the sessions of a stream that live.
func (g *gatewayProcess) sessions(t testing.TB, name string) []sessionInfo {
	t.Helper()
	return slices.DeleteFunc(g.listed(t), func(s sessionInfo) bool { return s.Stream != name || s.isOver() })
}

// listed are all sessions that the API tells of.
func (g *gatewayProcess) listed(t testing.TB) []sessionInfo {
	t.Helper()
	var all []sessionInfo
	g.fetch(t, "api/v1/sessions", &all)
	return all
}

// awaitState waits until a stream is in a state and returns it.
func (g *gatewayProcess) awaitState(t testing.TB, name, state string, limit time.Duration) stream {
	t.Helper()
	var s stream
	eventually(t, limit, func() string {
		if s = g.stream(t, name); s.State == state {
			return ""
		}
		return "stream " + name + " is " + s.State + ", not " + state + ": " + s.Error
	})
	return s
}

// client is that of all tests, and visitor what it shows to gateways.
var (
	visitor = newGuest()
	client  = &http.Client{
		Transport:     visitor,
		Timeout:       40 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
)
