package session

import (
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
	"sluice/transport"
)

const (
	// lookInterval is how often a viewer's session looks at what nobody tells of: bit rates and the number of viewers.
	lookInterval = time.Second
	// maxLooks is how often it looks at most in that time: each viewer that comes or goes is a change of the stream.
	maxLooks = 10
)

// watch is the life of a viewer's session, on the session's one goroutine: it waits until it is connected and has it
// sent to, chooses the rendition, tells what happens to the stream, and ends the session when its peer is gone, or when
// there has been no source for too long, or only one that does not fit. All its fields belong to that goroutine.
type watch struct {
	*viewer

	step  <-chan struct{} // the next one towards being connected; nil once it is
	limit alarm           // of that step
	late  error           // what it means if that rings

	changed <-chan struct{} // when to look again; nil: not before the tick
	tick    alarm           // set while there is something to look at that nobody tells of
	idle    alarm           // set while there is no source
	looks   int             // since the last tick
	still   bool            // nothing changes of which nobody tells

	doubt  doubt  // that the viewer can show what it is sent
	unable string // why it can't be passed a picture as it is; "": it can
}

func newWatch(v *viewer) *watch {
	w := &watch{viewer: v, step: v.session.accepted, late: ErrOfferExpired}
	w.limit.set(OfferLife)
	return w
}

// run returns what ends the session, or nil once something else has ended it.
func (w *watch) run() error {
	defer w.stop()
	err := w.look()
	for err == nil {
		select {
		case <-w.step:
			err = w.advance()
		case <-w.limit.rings():
			return w.late
		case <-w.changed:
			err = w.look()
		case <-w.poke:
			w.takeReport()
			err = w.look()
		case <-w.tick.rings():
			err = w.lookAround()
		case <-w.idle.rings():
			return ErrSourceGone
		case <-w.sender.Done():
			return w.sender.Err()
		case <-w.session.ending:
			return nil
		}
	}
	return err
}

func (w *watch) stop() {
	w.limit.stop()
	w.tick.stop()
	w.idle.stop()
}

// advance goes from one step to the next.
func (w *watch) advance() error {
	w.limit.stop()
	if w.step == w.session.accepted {
		w.step, w.late = w.sender.Connected(), &transport.UnreachableError{}
		w.limit.set(w.session.manager.options().ICETimeout)
		return nil
	}
	w.step = nil
	w.session.stay.place.connected()
	return w.start()
}

// start has the viewer sent to.
func (w *watch) start() error {
	stay := w.session.stay
	var unfit func()
	if stay.terms.Maker != nil {
		unfit = w.lookAgain
	}
	w.mu.Lock()
	name := w.now.rendition
	w.mu.Unlock()
	sub, err := w.sender.Start(rtpout.Feed{
		Stream: stay.stream, Rendition: name, Start: stay.terms.Start, PaceBits: w.session.manager.options().PaceBits,
		Check: func(t *media.Track) error { return w.fit.check(*t, unfit) },
		Moved: w.lookAgain,
	})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.subscriber, w.asked = sub, name
	w.mu.Unlock()
	w.session.connected()
	return w.look()
}

// look sees what is published now, and chooses from it.
func (w *watch) look() error {
	stream := w.session.stay.stream
	w.changed = stream.Changed()
	all := stream.Renditions()
	if len(all) > 0 {
		w.idle.stop()
	} else {
		w.idle.set(w.session.manager.options().ViewerIdleTimeout)
	}
	servings, passed, err := w.servings(playableOf(all))
	if err != nil {
		return err
	}
	source := EventActive
	if len(all) == 0 {
		source = EventInactive
	}
	w.session.events.post(Event{Kind: source})
	layers, settled := w.choose(servings)
	w.session.events.post(Event{Kind: EventLayers, Layers: layers})
	w.lookLater(settled && len(servings) < 2 && !w.doubtful() && !passed)
	return nil
}

// servings are the ways to serve the viewer now. passed reports that it is passed what it seems unable to show, for
// nothing else can be had: it may be able after all, and is no worse off.
func (w *watch) servings(all []hub.Rendition) (servings []serving, passed bool, err error) {
	stay := w.session.stay
	servings, err = stay.serve(stay.bases(all, w.unable), w.fit.serve)
	if err == nil || w.unable == "" {
		return servings, false, err
	}
	servings, err = stay.serve(stay.bases(all, ""), w.fit.serve)
	return servings, true, err
}

// lookLater decides when to look next, if not at the next change: rates change while there are renditions to choose
// from, a wish for a keyframe gets lost at times, and there may have been too many changes.
func (w *watch) lookLater(still bool) {
	w.still = still
	if w.looks++; w.looks > maxLooks {
		w.changed, w.still = nil, false
	}
	w.setTick()
}

func (w *watch) setTick() {
	if !w.still || w.session.events.listenedTo() {
		w.tick.set(lookInterval)
	}
}

// lookAround is the tick.
func (w *watch) lookAround() error {
	w.tick.stop()
	w.looks = 0
	if w.session.events.listenedTo() {
		w.tellViewers()
	}
	if w.doubtful() && w.doubt.grows(time.Now(), w.sender.Stats()) {
		w.giveUp("its wishes for keyframes")
	}
	if w.still {
		w.setTick()
		return nil
	}
	return w.look()
}

// doubtful reports whether the viewer is sent a picture that it has not offered to decode, and could be sent another
// (F40).
func (w *watch) doubtful() bool {
	if w.unable != "" || w.session.stay.terms.Maker == nil {
		return false
	}
	return w.now.isLenient()
}

// tellViewers is for those who listen, or are about to.
func (v *viewer) tellViewers() {
	v.session.events.post(Event{Kind: EventViewerCount, Viewers: v.session.stay.stream.Viewers()})
}

// choose has the subscriber go over to what suits the viewer best now, and returns the layers as they are now, and
// whether it is sent the one that it has chosen. Without a source it stays where it is.
func (v *viewer) choose(servings []serving) (layers []Layer, settled bool) {
	v.mu.Lock()
	if s, ok := named(servings, v.wish.pick(layersOf(servings), v.chosen)); ok {
		v.chosen, v.now = s.layer.Name, s
	}
	v.servings = servings
	name, sub := v.now.rendition, v.subscriber
	change := sub != nil && name != v.asked
	if change {
		v.asked = name
	}
	v.mu.Unlock()
	v.want(name)
	reading := readingOf(sub)
	switch {
	case change:
		sub.SelectRendition(name)
	case sub != nil && reading != name:
		v.session.stay.stream.RequestKeyframe(name) // a wish gets lost at times
	}
	return shownOf(servings, reading), sub == nil || reading == name
}

// shownOf lists the layers with a picture.
func shownOf(servings []serving, reading string) []Layer {
	var layers []Layer
	for _, s := range servings {
		if t, ok := media.First(s.layer.Tracks, media.Video); ok {
			layers = append(layers, Layer{
				RID: s.layer.Name, Width: t.Width, Height: t.Height, Bitrate: s.layer.Bitrate,
				Active: reading != "" && s.layer.Name == layerOf(reading),
			})
		}
	}
	return layers
}
