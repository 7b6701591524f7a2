package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/testviewer"
)

// listen orders an event stream of a viewer and opens it.
func listen(t *testing.T, g *running, v *testviewer.Viewer) *http.Response {
	t.Helper()
	path := strings.TrimPrefix(v.Location(), g.url)
	order := request(t, "POST", g.url+path+"/sse", "")
	if order.StatusCode != http.StatusCreated {
		t.Fatalf("the order: %d", order.StatusCode)
	}
	events := request(t, "GET", g.url+order.Header.Get("Location"), "")
	if events.StatusCode != http.StatusOK {
		t.Fatalf("the stream: %d", events.StatusCode)
	}
	return events
}

// I33, B15: whoever listens when the gateway stops is told to come again, and its stream ends as a whole; event streams
// do not hold the end up, also those that nobody reads.
func TestStopsWithEventStreams(t *testing.T) {
	g := start(t, "[streams.demo]\nsource = \"demo:\"\n")
	v := watch(t, g.url+"/demo/whep", testviewer.Browser())
	receive(t, v.Video, 10)
	events := listen(t, g, v)
	for range 10 {
		listen(t, g, v)
	}
	if line, err := bufio.NewReader(io.LimitReader(events.Body, 1)).ReadString('e'); err != nil {
		t.Fatalf("no event at first: %q %v", line, err)
	}
	began := time.Now()
	if err := g.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if rest, err := io.ReadAll(events.Body); err != nil || !strings.Contains(string(rest), "event: reconnect\ndata: {}\n\n") {
		t.Errorf("%v, the events: %q", err, rest)
	}
}

// B15: event streams end with their session, and leave nothing.
func TestEventStreamEndsWithItsSession(t *testing.T) {
	g := start(t, "[streams.demo]\nsource = \"demo:\"\n")
	v := watch(t, g.url+"/demo/whep", testviewer.Browser())
	events := listen(t, g, v)
	if status, err := v.Delete(t.Context()); status != http.StatusOK || err != nil {
		t.Errorf("DELETE: %d, %v", status, err)
	}
	if rest, err := io.ReadAll(events.Body); err != nil || strings.Contains(string(rest), "reconnect") {
		t.Errorf("%v, the events: %q", err, rest)
	}
	if again := request(t, "GET", events.Request.URL.String(), ""); again.StatusCode != http.StatusNotFound {
		t.Errorf("GET after the end: %d", again.StatusCode)
	}
}
