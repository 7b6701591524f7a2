package admin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/admin"
)

// fake is a gateway of one stream and one session, or of none.
type fake struct {
	empty bool
	ready error
}

var door = admin.Stream{
	Name: "door", State: "failed", Viewers: 2, Source: "rtsp://xxxxx@10.0.0.5/live", Error: "the camera refuses",
	Tracks: []admin.Track{{
		ID: "video", Kind: "video", Codec: "h264", ClockRate: 90000, Width: 1280, Height: 720, Profile: "42e01f", Rendition: "main",
	}, {ID: "audio", Kind: "audio", Codec: "opus", ClockRate: 48000, Channels: 2, Rendition: "main"}},
	Snapshot: true,
	Transcodes: []admin.Transcode{{
		Rendition: "main", Kind: "video", Codec: "h264", Encoder: "x264enc", State: "running", PID: 7, Restarts: 1,
		FramesIn: 2, FramesOut: 3, FramesDropped: 4, CPUSeconds: 5.5, MemoryBytes: 6, FirstFrameMs: 7.5,
	}, {Rendition: "main", Kind: "audio", Codec: "opus", Encoder: "opusenc", State: "failed", Error: "it crashed"}},
}

func (f fake) Streams() []admin.Stream {
	if f.empty {
		return nil
	}
	return []admin.Stream{door}
}

func (f fake) Stream(name string) (admin.Stream, bool) { return door, name == "door" }

func (f fake) Sessions() []admin.Session {
	if f.empty {
		return nil
	}
	return []admin.Session{{
		ID: "abc", Stream: "door", Role: "play", State: "connected", Protocol: "whep", RemoteAddress: "[2001:db8::1]:5000",
		CreateTime: "2026-01-02T03:04:05Z",
		Delivery:   []admin.Delivery{{MID: "0", Codec: "h264", Action: "transcode", Transcoded: true, Rendition: "main:h264", Reason: "It fits not."}},
		Stats:      admin.Stats{PacketsSent: 1, BytesSent: 2, PacketsResent: 3, UnitsDropped: 4},
	}}
}

func (f fake) Ready() error { return f.ready }

const (
	doorJSON = `{"name":"door","state":"failed","tracks":[` +
		`{"id":"video","kind":"video","codec":"h264","clock_rate":90000,"width":1280,"height":720,"b_frames":false,"profile":"42e01f","rendition":"main"},` +
		`{"id":"audio","kind":"audio","codec":"opus","clock_rate":48000,"channels":2,"width":0,"height":0,"b_frames":false,"rendition":"main"}],` +
		`"viewers":2,"source":"rtsp://xxxxx@10.0.0.5/live","error":"the camera refuses","snapshot":true,` +
		`"transcodes":[{"rendition":"main","kind":"video","codec":"h264","encoder":"x264enc","state":"running","pid":7,"restarts":1,` +
		`"frames_in":2,"frames_out":3,"frames_dropped":4,"cpu_seconds":5.5,"memory_bytes":6,"first_frame_ms":7.5},` +
		`{"rendition":"main","kind":"audio","codec":"opus","encoder":"opusenc","state":"failed","error":"it crashed","restarts":0,` +
		`"frames_in":0,"frames_out":0,"frames_dropped":0,"cpu_seconds":0,"memory_bytes":0}]}`
	sessionJSON = `{"id":"abc","stream":"door","role":"play","state":"connected","protocol":"whep","remote_address":"[2001:db8::1]:5000",` +
		`"create_time":"2026-01-02T03:04:05Z","delivery":[{"mid":"0","codec":"h264","action":"transcode","transcoded":true,"rendition":"main:h264","reason":"It fits not."}],` +
		`"stats":{"packets_sent":1,"bytes_sent":2,"packets_resent":3,"units_dropped":4}}`
)

// The names that the contract promises, and the status of everything else (A6, A10, A26).
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(*admin.API) func(http.ResponseWriter, *http.Request)
		method string
		empty  bool
		ready  error
		status int
		body   string
	}{
		{"streams", streams, "GET", false, nil, 200, "[" + doorJSON + "]"},
		{"streams, head", streams, "HEAD", false, nil, 200, "[" + doorJSON + "]"}, // the server leaves the body out
		{"no streams", streams, "GET", true, nil, 200, "[]"},
		{"streams, other method", streams, "POST", false, nil, 405, ""},
		{"stream", stream("door"), "GET", false, nil, 200, doorJSON},
		{"no such stream", stream("other"), "GET", false, nil, 404, ""},
		{"stream, other method", stream("door"), "PUT", false, nil, 405, ""},
		{"sessions", sessions, "GET", false, nil, 200, "[" + sessionJSON + "]"},
		{"no sessions", sessions, "GET", true, nil, 200, "[]"},
		{"sessions, other method", sessions, "DELETE", false, nil, 405, ""},
		{"session", session("abc"), "GET", false, nil, 200, sessionJSON},
		{"no such session", session("ab"), "GET", false, nil, 404, ""},
		{"session, other method", session("abc"), "PATCH", false, nil, 405, ""},
		{"health", func(a *admin.API) func(http.ResponseWriter, *http.Request) { return a.Health }, "GET", false, nil, 200, `{"status":"ok"}`},
		{"ready", ready, "GET", false, nil, 200, `{"status":"ready"}`},
		{
			"not ready", ready, "GET", false, errors.New("not yet"), 503,
			`{"type":"urn:sluice:problem:not_ready","title":"Service Unavailable","status":503,"detail":"not yet"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			c.answer(admin.New(fake{empty: c.empty, ready: c.ready}))(w, httptest.NewRequest(c.method, "/", nil))
			body := strings.TrimSpace(w.Body.String())
			if w.Code != c.status || c.body != "" && body != c.body {
				t.Errorf("%d\n%s\nwant %d\n%s", w.Code, body, c.status, c.body)
			}
			wantType := "application/json"
			if c.status != 200 {
				wantType = "application/problem+json"
			}
			if h := w.Header(); h.Get("Content-Type") != wantType || h.Get("Cache-Control") != "no-store" || (c.status == 405) != (h.Get("Allow") == "GET, HEAD") {
				t.Errorf("headers: %v", h)
			}
		})
	}
}

func streams(a *admin.API) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) { a.Streams(w, r, admin.All[admin.Stream]) }
}

func sessions(a *admin.API) func(http.ResponseWriter, *http.Request) { return a.Sessions }
func ready(a *admin.API) func(http.ResponseWriter, *http.Request)    { return a.Ready }

func session(id string) func(*admin.API) func(http.ResponseWriter, *http.Request) {
	return func(a *admin.API) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { a.Session(w, r, id, admin.All[admin.Session]) }
	}
}

func stream(name string) func(*admin.API) func(http.ResponseWriter, *http.Request) {
	return func(a *admin.API) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { a.Stream(w, r, name, admin.All[admin.Stream]) }
	}
}
