package session

import (
	"sluice/hub"
	"sluice/negotiation"
)

// Conflict says what happens when somebody publishes to a stream that has a publisher (A14).
type Conflict string

// The policies. Either way somebody else gets ReasonBusy.
const (
	ConflictReplace Conflict = "replace" // the same principal takes over
	ConflictReject  Conflict = "reject"  // the same principal is refused as well
)

// Terms is what a stream allows, for as long as it is held.
type Terms struct {
	Publish    bool      // it is fed by publishers and has no source of its own
	OnConflict Conflict  // "": ConflictReplace
	Start      hub.Start // where its viewers begin

	Transcode negotiation.Transcode // "": TranscodeAuto
	Maker     Maker                 // nil: nothing can be made

	// Past is closed when the terms hold no more; nil: never. Whoever closes it then ends the sessions that there are
	// (Manager.EndIf); none begins on such terms.
	Past <-chan struct{}

	Release func() // called once, by whoever found the stream, when it needs it no more; nil: nothing to do
}

// arePast reports whether the terms hold no more.
func (t *Terms) arePast() bool {
	select {
	case <-t.Past:
		return true
	default:
		return false
	}
}

// Streams finds the streams that sessions are for.
type Streams interface {
	// Find finds a stream, or makes it, and holds it until its terms are released. Its errors are a *Refusal,
	// or *hub.StreamNotFoundError.
	Find(name string) (*hub.Stream, Terms, error)
}

// InHub is the streams of a hub, all on the same terms.
func InHub(h *hub.Hub, t Terms) Streams { return inHub{hub: h, terms: t} }

type inHub struct {
	hub   *hub.Hub
	terms Terms
}

func (s inHub) Find(name string) (*hub.Stream, Terms, error) {
	stream, err := s.hub.Stream(name)
	return stream, s.terms, err
}
