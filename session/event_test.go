package session

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

func viewers(n int) Event { return Event{Kind: EventViewerCount, Viewers: n} }

func activeLayer(rid string) Event {
	return Event{Kind: EventLayers, Layers: []Layer{{RID: rid, Active: true}}}
}

// rest reads what there is and says how it ends.
func rest(l *Listener) ([]Event, error) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var all []Event
	for {
		e, err := l.Next(ctx)
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
}

func kinds(all []Event) []EventKind {
	names := make([]EventKind, len(all))
	for i, e := range all {
		names[i] = e.Kind
	}
	return names
}

// B15: a listener begins with the present state and gets the newest of each kind that it asked for.
func TestListeners(t *testing.T) {
	b := &board{}
	b.post(Event{Kind: EventInactive})
	b.post(viewers(1))
	b.post(Event{Kind: EventActive})
	all, some := b.listen(nil), b.listen([]EventKind{EventViewerCount, EventReconnect})
	for _, e := range []Event{viewers(2), activeLayer("h"), viewers(3), activeLayer("h"), activeLayer("l")} {
		b.post(e)
	}
	got, err := rest(all)
	if want := []EventKind{EventActive, EventViewerCount, EventLayers}; !slices.Equal(kinds(got), want) || !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v; want %v", got, err, want)
	}
	if got[1].Viewers != 3 || got[2].Layers[0].RID != "l" {
		t.Errorf("not the newest: %+v", got)
	}
	if got, _ := rest(some); len(got) != 1 || got[0].Viewers != 3 {
		t.Errorf("%+v", got)
	}
	for _, same := range []Event{{Kind: EventActive}, viewers(3), {Kind: EventLayers, Layers: []Layer{{RID: "l", Active: true, Bitrate: 5}}}} {
		b.post(same)
	}
	if got, _ := rest(all); len(got) != 0 {
		t.Errorf("told what was known: %+v", got)
	}
	b.post(Event{Kind: EventInactive})
	b.post(Event{Kind: EventActive})
	if got, _ := rest(all); !slices.Equal(kinds(got), []EventKind{EventInactive, EventActive}) {
		t.Errorf("the last is not the state: %+v", got)
	}
	b.post(Event{Kind: EventReconnect})
	b.close()
	if got, err := rest(some); len(got) != 1 || got[0].Kind != EventReconnect || !errors.Is(err, ErrSessionOver) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := rest(b.listen(nil)); !errors.Is(err, ErrSessionOver) {
		t.Errorf("a late listener: %v", err)
	}
}

// B15: Next waits, and Close ends it.
func TestListenerWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{}
		l := b.listen(nil)
		got := make(chan Event)
		go func() {
			defer close(got)
			for {
				e, err := l.Next(context.Background())
				if err != nil {
					return
				}
				got <- e
			}
		}()
		synctest.Wait()
		b.post(viewers(1))
		if e := <-got; e.Viewers != 1 {
			t.Errorf("%+v", e)
		}
		l.Close()
		l.Close()
		if _, ok := <-got; ok || len(b.listeners) != 0 {
			t.Errorf("%d listeners are left", len(b.listeners))
		}
		b.post(viewers(2))
	})
}

// B15, J22: one listener too many is told so.
func TestTooManyListeners(t *testing.T) {
	b := &board{}
	b.post(viewers(1))
	var all []*Listener
	for range maxListeners {
		all = append(all, b.listen(nil))
	}
	if _, err := rest(b.listen(nil)); reasonOf(err) != ReasonTooMany {
		t.Error(err)
	}
	all[0].Close()
	if got, err := rest(b.listen(nil)); len(got) != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("after one has left: %+v, %v", got, err)
	}
}
