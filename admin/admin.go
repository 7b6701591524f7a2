// Package admin is the HTTP API for operators: what streams there are, how they do, and who watches.
package admin

import (
	"encoding/json"
	"net/http"

	"sluice/signalling/problem"
)

// Stream is one stream as the API tells it.
type Stream struct {
	Name    string  `json:"name"`
	State   string  `json:"state"` // idle, connecting, ready or failed
	Tracks  []Track `json:"tracks"`
	Viewers int     `json:"viewers"`
	Source  string  `json:"source"`            // without secrets
	Publish bool    `json:"publish,omitempty"` // publishers feed it: offers are taken at /{name}/whip
	Error   string  `json:"error,omitempty"`   // why the state is failed
	Pushes  []Push  `json:"push,omitempty"`

	Snapshot   bool        `json:"snapshot,omitempty"`   // there is a picture to ask for
	Transcodes []Transcode `json:"transcodes,omitempty"` // what is made anew now, or can't be
}

// Push is one server that a stream is sent on to.
type Push struct {
	Host        string `json:"host"`  // scheme and host; the path may be a key
	State       string `json:"state"` // idle, connecting, connected or failed
	Error       string `json:"error,omitempty"`
	Note        string `json:"note,omitempty"` // what of the stream is left out, and why
	Rendition   string `json:"rendition,omitempty"`
	PacketsSent uint64 `json:"packets_sent"`
	BytesSent   uint64 `json:"bytes_sent"`
}

// Track is one track as the API tells it.
type Track struct {
	ID         string `json:"id"`
	Kind       string `json:"kind"` // video, audio or data
	Codec      string `json:"codec"`
	ClockRate  int    `json:"clock_rate"` // Hz
	Channels   int    `json:"channels,omitempty"`
	Width      int    `json:"width"` // pixels; 0 if unknown, or no picture
	Height     int    `json:"height"`
	BFrames    bool   `json:"b_frames"`
	Profile    string `json:"profile,omitempty"` // H264: profile-level-id in hex
	Rendition  string `json:"rendition"`
	Skipped    string `json:"skipped,omitempty"` // why the track is not carried
	Interlaced bool   `json:"interlaced,omitempty"`
}

// Session is one session as the API tells it.
type Session struct {
	ID            string     `json:"id"`
	Stream        string     `json:"stream"`
	Role          string     `json:"role"`  // play, publish or talk
	State         string     `json:"state"` // connecting, connected or closed
	Protocol      string     `json:"protocol"`
	RemoteAddress string     `json:"remote_address"`
	Principal     string     `json:"principal,omitempty"`  // whose it is
	CreateTime    string     `json:"create_time"`          // RFC 3339
	Way           string     `json:"way,omitempty"`        // fast or slow; of viewers
	WayReason     string     `json:"way_reason,omitempty"` // why it is slow
	Delivery      []Delivery `json:"delivery"`
	Stats         Stats      `json:"stats"`
	Verdict       *Verdict   `json:"verdict,omitempty"` // of one that something ails
}

// Delivery is what became of one section of the offer.
type Delivery struct {
	MID        string `json:"mid"`
	Codec      string `json:"codec"`
	Action     string `json:"action"`
	Transcoded bool   `json:"transcoded"`          // made anew rather than passed on
	Rendition  string `json:"rendition,omitempty"` // that is sent
	Reason     string `json:"reason"`              // one sentence
}

// Stats is what a session has counted.
type Stats struct {
	PacketsSent        uint64 `json:"packets_sent"`
	BytesSent          uint64 `json:"bytes_sent"`
	PacketsResent      uint64 `json:"packets_resent"`
	UnitsDropped       uint64 `json:"units_dropped"`
	PacketsReceived    uint64 `json:"packets_received,omitempty"` // of a publisher, like those that follow
	BytesReceived      uint64 `json:"bytes_received,omitempty"`
	PacketsLost        uint64 `json:"packets_lost,omitempty"`
	KeyframesRequested uint64 `json:"keyframes_requested,omitempty"`
}

// Gateway is what the API looks at.
type Gateway interface {
	Streams() []Stream
	Stream(name string) (Stream, bool)
	Sessions() []Session
	// Ready is nil once the gateway listens and has started its streams; else its text says what is missing.
	Ready() error
}

// API serves /api/v1/, /healthz and /readyz.
type API struct{ gateway Gateway }

// New makes the API.
func New(g Gateway) *API { return &API{gateway: g} }

// See says how much of something a caller may see; false: nothing.
type See[T any] func(T) (T, bool)

// All lets a caller see everything.
func All[T any](t T) (T, bool) { return t, true }

// Streams answers GET /api/v1/streams with an array.
func (a *API) Streams(w http.ResponseWriter, r *http.Request, see See[Stream]) {
	serve(w, r, func() {
		seen := []Stream{}
		for _, s := range a.gateway.Streams() {
			if shown, ok := see(s); ok {
				seen = append(seen, shown)
			}
		}
		write(w, seen)
	})
}

// Stream answers GET /api/v1/streams/{name}.
func (a *API) Stream(w http.ResponseWriter, r *http.Request, name string, see See[Stream]) {
	serve(w, r, func() {
		s, ok := a.gateway.Stream(name)
		if ok {
			s, ok = see(s)
		}
		if !ok {
			noStream(w)
			return
		}
		write(w, s)
	})
}

// Sessions answers GET /api/v1/sessions with an array: those that live, and, for ten minutes, those that ended without
// ever being connected.
func (a *API) Sessions(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() { write(w, notNil(a.gateway.Sessions())) })
}

// Session answers GET /api/v1/sessions/{id}.
func (a *API) Session(w http.ResponseWriter, r *http.Request, id string, see See[Session]) {
	serve(w, r, func() {
		for _, s := range a.gateway.Sessions() {
			if s.ID != id {
				continue
			}
			if shown, ok := see(s); ok {
				write(w, shown)
				return
			}
		}
		problem.Write(w, problem.New(http.StatusNotFound, "session_not_found", "There is no session of that ID."))
	})
}

// Health answers GET /healthz: whoever can answer lives.
func (a *API) Health(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() { write(w, map[string]string{"status": "ok"}) })
}

// Ready answers GET /readyz with 200, or 503 and what is missing.
func (a *API) Ready(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() {
		if err := a.gateway.Ready(); err != nil {
			problem.Write(w, problem.New(http.StatusServiceUnavailable, "not_ready", err.Error()))
			return
		}
		write(w, map[string]string{"status": "ready"})
	})
}

func serve(w http.ResponseWriter, r *http.Request, answer func()) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		problem.MethodNotAllowed(w, "GET, HEAD")
		return
	}
	answer()
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client may have gone: nobody is left to tell
}

// notNil makes an empty list an empty array in JSON.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
