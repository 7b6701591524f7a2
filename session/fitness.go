package session

import (
	"fmt"

	"sluice/media"
	"sluice/negotiation"
)

// fitness checks, each time more is known of a track, that it can still go on the payload that was negotiated.
type fitness struct {
	session *Session
	checked map[string]*media.Track // by ID, the last that was found fit
}

func (f *fitness) check(t *media.Track) error {
	if f.checked[t.ID] == t {
		return nil
	}
	f.checked[t.ID] = t
	for _, c := range f.session.plan.Sections {
		if c.Action != negotiation.Passthrough || c.Track.ID != t.ID {
			continue
		}
		if t.Codec != c.Track.Codec {
			return &SourceChangedError{Err: fmt.Errorf("it sends %s and no longer %s", t.Codec.Title(), c.Track.Codec.Title())}
		}
		_, err := negotiation.Decide([]media.Track{*t}, f.negotiated(c), f.session.manager.options.Policy)
		if err != nil {
			return &SourceChangedError{Err: err}
		}
	}
	return nil
}

// negotiated is the offer as if it had held no more than what was chosen of it: the payload cannot change any more.
func (f *fitness) negotiated(c negotiation.Choice) *negotiation.Offer {
	offer := *f.session.offer
	for _, s := range offer.Sections {
		if s.MID == c.MID {
			s.Formats = []negotiation.Format{c.Format}
			offer.Sections = []negotiation.Section{s}
			break
		}
	}
	return &offer
}
