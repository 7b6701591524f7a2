package session

import (
	"context"
	"time"

	"sluice/hub"
	"sluice/media"
)

// lookInterval is how often a viewer's session looks at bit rates and at the number of viewers.
const lookInterval = time.Second

// watch chooses the rendition, tells what happens to the stream, and ends the session when there has been no source
// for too long, or only one that does not fit.
func (v *viewer) watch(ctx context.Context) error {
	stream := v.session.stay.stream
	idle := idleTimer{limit: v.session.manager.options.ViewerIdleTimeout}
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	fit := v.newFitness()
	v.tellViewers()
	for {
		changed := stream.Changed()
		all := stream.Renditions()
		idle.update(len(all) > 0)
		if err := v.look(all, fit); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-v.poke:
		case <-tick.C:
			v.tellViewers()
		case <-idle.expired():
			return ErrSourceGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *viewer) tellViewers() {
	v.session.events.post(Event{Kind: EventViewerCount, Viewers: v.session.stay.stream.Viewers()})
}

// look chooses from what is published now.
func (v *viewer) look(all []hub.Rendition, fit *fitness) error {
	fits, err := fit.renditions(all)
	if err != nil {
		return err
	}
	source := EventActive
	if len(all) == 0 {
		source = EventInactive
	}
	v.session.events.post(Event{Kind: source})
	v.session.events.post(Event{Kind: EventLayers, Layers: v.choose(fits)})
	return nil
}

// choose has the subscriber go over to another rendition if a better one fits, and returns the layers as they are
// now. Without a source it stays where it is.
func (v *viewer) choose(fits []hub.Rendition) []Layer {
	v.mu.Lock()
	if name := v.wish.pick(fits, v.chosen); name != "" {
		v.chosen = name
	}
	name, sub := v.chosen, v.subscriber
	change := sub != nil && name != v.asked
	if change {
		v.asked = name
	}
	v.mu.Unlock()
	reading := ""
	if sub != nil {
		reading = sub.Rendition()
	}
	switch {
	case change:
		sub.SelectRendition(name)
	case sub != nil && reading != name:
		v.session.stay.stream.RequestKeyframe(name) // a wish gets lost at times
	}
	layers := layersOf(fits, reading)
	v.mu.Lock()
	v.layers = layers
	v.mu.Unlock()
	return layers
}

// layersOf lists the renditions with a picture.
func layersOf(all []hub.Rendition, reading string) []Layer {
	var layers []Layer
	for _, r := range all {
		if t, ok := media.First(r.Tracks, media.Video); ok {
			layers = append(layers, Layer{
				RID: r.Name, Width: t.Width, Height: t.Height, Bitrate: r.Bitrate, Active: r.Name == reading,
			})
		}
	}
	return layers
}
