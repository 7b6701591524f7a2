package whep

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"sluice/session"
	"sluice/signalling/problem"
	"sluice/signalling/resource"
)

// playing is what a viewer's session does besides what any resource does. *session.Session is one, but for the type
// of its listeners.
type playing interface {
	resource.Session
	SelectLayer(c session.LayerChoice) error
	TakesReports() bool
	ReportUndecodable() error
	Listen(kinds ...session.EventKind) listener
}

// listener hands out events. *session.Listener is one.
type listener interface {
	Next(ctx context.Context) (session.Event, error)
	Close()
}

type realSession struct{ *session.Session }

func (s realSession) Listen(kinds ...session.EventKind) listener { return s.Session.Listen(kinds...) }

func makerOf(f func(context.Context, session.PlayRequest) (*session.Session, string, error)) maker {
	return func(ctx context.Context, r session.PlayRequest) (playing, string, error) {
		s, sdp, err := f(ctx, r)
		return realSession{s}, sdp, err
	}
}

// viewer is what the extensions know of a session: it lives and dies with it.
type viewer struct {
	session   playing             // fixed
	resources *resource.Resources // fixed
	url       string              // fixed: the path of the session's URL
	video     section             // fixed

	mu      sync.Mutex
	streams map[string]*stream // guarded by mu; by ID
}

func newViewer(s playing, r *resource.Resources, url, sdp string) *viewer {
	return &viewer{session: s, resources: r, url: url, video: videoSection(sdp), streams: make(map[string]*stream)}
}

// serve answers a request below the session's URL.
func (v *viewer) serve(w http.ResponseWriter, r *http.Request, path []string) {
	switch {
	case len(path) == 1 && path[0] == "sse":
		v.serveEvents(w, r)
	case len(path) == 2 && path[0] == "sse":
		v.serveStream(w, r, path[1])
	case len(path) == 1 && path[0] == "layer":
		v.serveLayer(w, r)
	case len(path) == 1 && path[0] == "trouble":
		v.serveTrouble(w, r)
	default:
		problem.Write(w, problem.New(http.StatusNotFound, "not_found", "There is nothing at this path."))
	}
}

func options(w http.ResponseWriter, methods string) {
	w.Header().Set("Allow", methods)
	w.WriteHeader(http.StatusOK)
}

// section is the one by which the viewer gets its picture.
type section struct{ index, mid string } // its place in the SDP, from "0", and its mid; both "" if there is none

// videoSection finds it in an answer or offer of ours.
func videoSection(sdp string) section {
	var found section
	index, inside := -1, false
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "m=") {
			index++
			inside = found.index == "" && strings.HasPrefix(line, "m=video ") && !strings.HasPrefix(line, "m=video 0 ")
			if inside {
				found.index = strconv.Itoa(index)
			}
		}
		if mid, ok := strings.CutPrefix(line, "a=mid:"); ok && inside {
			found.mid = mid
		}
	}
	return found
}

// is tells whether a mediaId means the section: the draft has its place there, clients that know nothing else its mid.
func (s section) is(mediaID string) bool {
	return s.index != "" && (mediaID == s.index || mediaID == s.mid)
}
