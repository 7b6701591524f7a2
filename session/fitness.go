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
		plan, err := negotiation.Decide([]media.Track{*t}, f.session.offer, f.session.manager.options.Policy)
		if err != nil {
			return &SourceChangedError{Err: err}
		}
		return f.samePayload(plan, c)
	}
	return nil
}

func (f *fitness) samePayload(plan *negotiation.Plan, was negotiation.Choice) error {
	for _, c := range plan.Sections {
		if c.MID == was.MID && c.Track.Codec == was.Track.Codec {
			return nil
		}
	}
	return &SourceChangedError{Err: fmt.Errorf("it sends another codec than %s", was.Track.Codec.Title())}
}
