package whep

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"sluice/session"
	"sluice/signalling/problem"
	"sluice/signalling/resource"
)

const (
	maxStreams = 100      // of events, for one session (J22)
	maxJSON    = 16 << 10 // bytes
	jsonType   = "application/json"

	eventsMethods = "OPTIONS, POST"
)

// stream is an event stream that a viewer has ordered.
type stream struct {
	kinds []session.EventKind // fixed; empty: all
	stop  context.CancelFunc  // guarded by viewer.mu: ends whoever reads it; nil: nobody does
}

// serveEvents takes orders for event streams: a JSON array of kinds; none for all.
func (v *viewer) serveEvents(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		options(w, eventsMethods)
		return
	default:
		problem.MethodNotAllowed(w, eventsMethods)
		return
	}
	kinds, ok := readKinds(w, r)
	if !ok {
		return
	}
	id, ok := v.addStream(kinds)
	if !ok {
		problem.Write(w, problem.New(http.StatusTooManyRequests, "too_many",
			fmt.Sprintf("The session has %d event streams: DELETE one first.", maxStreams)))
		return
	}
	w.Header().Set("Location", v.url+"/sse/"+id)
	w.WriteHeader(http.StatusCreated)
}

func readKinds(w http.ResponseWriter, r *http.Request) ([]session.EventKind, bool) {
	if r.ContentLength == 0 {
		return nil, true
	}
	_, body, ok := resource.ReadBody(w, r, resource.Accepted{Limit: maxJSON, Types: []string{jsonType}})
	if !ok {
		return nil, false
	}
	kinds, fault := parseKinds(body)
	if fault != "" {
		problem.Write(w, problem.New(http.StatusBadRequest, "events", fault))
		return nil, false
	}
	return kinds, true
}

// parseKinds reads a JSON array of kinds. The fault is a sentence for the client, "" if there is none.
func parseKinds(body string) (kinds []session.EventKind, fault string) {
	if err := json.Unmarshal([]byte(body), &kinds); err != nil || kinds == nil {
		return nil, "The body must be a JSON array of events, such as " + eventsJSON() + "."
	}
	for _, k := range kinds {
		if !slices.Contains(events(), k) {
			return nil, fmt.Sprintf("There is no event %.40q; all there are: %s.", k, eventsJSON())
		}
	}
	return kinds, ""
}

func eventsJSON() string {
	text, _ := json.Marshal(events()) // strings only
	return string(text)
}

// addStream gives a stream a name that nobody can guess: browsers ask for it without an Authorization (B15).
func (v *viewer) addStream(kinds []session.EventKind) (id string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.streams) >= maxStreams {
		return "", false
	}
	id = rand.Text() // at least 128 bits
	v.streams[id] = &stream{kinds: kinds}
	return id, true
}

func (v *viewer) has(id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.streams[id]
	return ok
}

// attach makes a new reader of a stream known, whom stop ends. It takes the place of an older one, whose connection
// the client has lost before we noticed.
func (v *viewer) attach(id string, stop context.CancelFunc) (*stream, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.streams[id]
	if !ok {
		return nil, false
	}
	if s.stop != nil {
		s.stop()
	}
	s.stop = stop
	return s, true
}

// drop forgets a stream and ends whoever reads it.
func (v *viewer) drop(id string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.streams[id]
	if ok && s.stop != nil {
		s.stop()
	}
	delete(v.streams, id)
	return ok
}
