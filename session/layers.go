package session

import (
	"slices"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

const (
	layerSilence  = 2 * time.Second        // how long a layer may be silent while another one flows
	firstKeyframe = 500 * time.Millisecond // how long a layer may go on without its first keyframe before it is asked for one
	askInterval   = time.Second            // between two such wishes: one gets lost at times
	soundAlone    = 3 * time.Second        // how long the sound waits for a picture of which nothing comes
)

// layers is the peer.Sink of a publisher: it publishes each layer as a rendition from its first keyframe on, and the
// sound with all of them. While nothing comes of a picture the sound is a rendition of its own.
type layers struct {
	stream *hub.Stream      // fixed
	ask    func(rid string) // fixed; wants a keyframe
	fail   func(err error)  // fixed; ends the session

	video []*layer     // in the order of the offer; one without a RID if there are no layers; none if there is no picture
	sound *layer       // the sound alone; published while no picture is
	audio *media.Track // nil if there is none
	heard time.Time    // when the first sound came
	ready bool         // the stream's source has been said to be ready
}

// newLayers prepares what the plan takes of an offer.
func newLayers(s *hub.Stream, o *negotiation.Offer, p *negotiation.Plan) *layers {
	l := &layers{stream: s, sound: &layer{rendition: media.MainRendition}}
	for _, c := range p.Sections {
		switch {
		case c.Action != negotiation.Passthrough:
		case c.Kind == media.Audio && l.audio == nil:
			l.audio = &c.Track
		case c.Kind == media.Video && l.video == nil:
			l.video = layersOffered(o, c)
		}
	}
	return l
}

func layersOffered(o *negotiation.Offer, c negotiation.Choice) []*layer {
	s, ok := o.Section(c.MID)
	if !ok || len(s.Layers) == 0 {
		return []*layer{{rendition: media.MainRendition}}
	}
	var all []*layer
	for _, offered := range s.Layers {
		all = append(all, &layer{rid: offered.RID, rendition: offered.Rendition})
	}
	return all
}

// layer is nil for a RID that was not negotiated.
func (l *layers) layer(rid string) *layer {
	for _, v := range l.video {
		if v.rid == rid {
			return v
		}
	}
	return nil
}

// Track implements peer.Sink.
func (l *layers) Track(rid string, t media.Track) {
	if t.Kind == media.Audio {
		l.hear(t)
		return
	}
	v := l.layer(rid)
	if v == nil {
		return
	}
	if v.begun.IsZero() {
		v.begun = time.Now()
	}
	v.track = &t
	l.keep(v.update(t))
}

// hear is Track for the sound.
func (l *layers) hear(t media.Track) {
	if l.audio == nil {
		return
	}
	l.audio = &t
	l.each(func(v *layer) { l.keep(v.update(t)) })
}

// Unit implements peer.Sink.
func (l *layers) Unit(rid, track string, au *media.AccessUnit) {
	if l.audio != nil && track == l.audio.ID {
		if l.sound.publisher == nil && l.isAlone(time.Now()) {
			l.open(l.sound, *l.audio)
		}
		l.each(func(v *layer) { l.keep(v.write(track, au)) })
		return
	}
	v := l.layer(rid)
	if v == nil || v.track == nil || track != v.track.ID {
		return
	}
	v.heard = time.Now()
	if v.publisher == nil {
		l.begin(v, au.Keyframe)
	}
	l.keep(v.write(track, au))
}

// isAlone reports whether the sound is not to wait for a picture: there will be none, or nothing of it has come.
func (l *layers) isAlone(now time.Time) bool {
	if l.heard.IsZero() {
		l.heard = now
	}
	there := func(v *layer) bool { return v.publisher != nil || !v.begun.IsZero() }
	return l.video == nil || now.Sub(l.heard) >= soundAlone && !slices.ContainsFunc(l.video, there)
}

// begin publishes a layer at its first keyframe, in place of the sound alone, and asks for one if it began without.
func (l *layers) begin(v *layer, keyframe bool) {
	if !keyframe {
		l.askFirst(v, v.heard)
		return
	}
	l.sound.close() // their renditions may be of one name
	if l.audio != nil {
		l.open(v, *v.track, *l.audio)
	} else {
		l.open(v, *v.track)
	}
}

// askFirst wants the first keyframe of a layer, again and again as long as it sends others.
func (l *layers) askFirst(v *layer, now time.Time) {
	if now.Sub(v.asked) >= askInterval {
		v.asked = now
		l.ask(v.rid)
	}
}

func (l *layers) open(v *layer, tracks ...media.Track) {
	if err := v.open(l.stream, tracks, l.ask); err != nil {
		l.fail(err)
		return
	}
	if !l.ready {
		l.ready = true
		l.stream.SetState(hub.StateReady, nil)
	}
}

// Tick implements peer.Sink. It asks for the first keyframe of a layer whose packets hold none, and closes a layer
// that has fallen silent while another one flows.
func (l *layers) Tick(now time.Time) {
	flows := false
	for _, v := range l.video {
		flows = flows || v.publisher != nil && now.Sub(v.heard) < layerSilence
		if v.publisher == nil && v.asked.IsZero() && !v.begun.IsZero() && now.Sub(v.begun) >= firstKeyframe {
			l.askFirst(v, now)
		}
	}
	for _, v := range l.video {
		if flows && v.publisher != nil && now.Sub(v.heard) >= layerSilence {
			v.close()
		}
	}
}

func (l *layers) each(f func(v *layer)) {
	f(l.sound)
	for _, v := range l.video {
		f(v)
	}
}

// close lets go of the stream.
func (l *layers) close() {
	l.each((*layer).close)
	if l.ready {
		l.stream.SetState(hub.StateIdle, nil)
	}
}

// keep ends the session if the stream takes no more.
func (l *layers) keep(err error) {
	if err != nil {
		l.fail(err)
	}
}
