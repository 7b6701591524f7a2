package whep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sluice/session"
	"sluice/signalling/problem"
)

const (
	eventsType = "text/event-stream"

	keepAlive    = 15 * time.Second // of silence, before a comment tells proxies that the stream lives
	writeTimeout = 10 * time.Second // for one event

	streamMethods = "OPTIONS, GET, HEAD, DELETE"
)

// serveStream answers a request to an event stream's URL.
func (v *viewer) serveStream(w http.ResponseWriter, r *http.Request, id string) {
	switch r.Method {
	case http.MethodGet:
		v.read(w, r, id)
	case http.MethodHead:
		if !v.has(id) {
			noStream(w)
			return
		}
		w.Header().Set("Content-Type", eventsType)
		w.WriteHeader(http.StatusOK)
	case http.MethodDelete:
		if !v.drop(id) {
			noStream(w)
			return
		}
		w.WriteHeader(http.StatusOK)
	case http.MethodOptions:
		options(w, streamMethods)
	default:
		problem.MethodNotAllowed(w, streamMethods)
	}
}

func noStream(w http.ResponseWriter) {
	problem.Write(w, problem.New(http.StatusNotFound, "event_stream_not_found", "There is no such event stream; it may have ended."))
}

// read sends events until the session or the stream ends, or the client goes.
func (v *viewer) read(w http.ResponseWriter, r *http.Request, id string) {
	ctx, stop := context.WithCancel(r.Context())
	defer stop()
	s, ok := v.attach(id, stop)
	if !ok {
		noStream(w)
		return
	}
	w.Header().Set("Content-Type", eventsType)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events until it has a page of them
	out := &eventWriter{w: w, control: http.NewResponseController(w), video: v.video}
	if out.flush() != nil {
		return
	}
	l := v.session.Listen(s.kinds...)
	defer l.Close()
	for out.next(ctx, l) == nil {
	}
}

// eventWriter writes events as text/event-stream.
//
// Specification: HTML 9.2.5.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	video   section
}

// next waits for an event and sends it, or a comment if there is none for long.
func (o *eventWriter) next(ctx context.Context, l listener) error {
	wait, cancel := context.WithTimeout(ctx, keepAlive)
	defer cancel()
	e, err := l.Next(wait)
	text := ":\n\n"
	switch {
	case err == nil:
		text = o.format(e)
	case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	_ = o.control.SetWriteDeadline(time.Now().Add(writeTimeout)) // not supported in tests only
	if _, err := fmt.Fprint(o.w, text); err != nil {
		return err
	}
	return o.flush()
}

func (o *eventWriter) flush() error { return o.control.Flush() }

// format writes an event with its data on a single line, as the draft asks.
func (o *eventWriter) format(e session.Event) string {
	var data any = struct{}{}
	switch e.Kind {
	case session.EventLayers:
		data = o.video.layers(e.Layers)
	case session.EventViewerCount:
		data = map[string]int{"viewercount": e.Viewers}
	default:
	}
	text, _ := json.Marshal(data) // strings and numbers only
	return fmt.Sprintf("event: %s\ndata: %s\n\n", e.Kind, text)
}
