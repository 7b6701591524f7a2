package session

import (
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
)

const (
	layerSilence  = 2 * time.Second        // how long a layer may be silent while another one flows
	firstKeyframe = 500 * time.Millisecond // how long a layer may go on without its first keyframe before it is asked for one
	askInterval   = time.Second            // between two such wishes: one gets lost at times
)

// layers is the peer.Sink of a publisher: it publishes each layer as a rendition from its first keyframe on, and the
// sound with all of them. Without a picture the sound is a rendition of its own.
type layers struct {
	stream *hub.Stream      // fixed
	ask    func(rid string) // fixed; wants a keyframe
	fail   func(err error)  // fixed; ends the session

	video []*layer     // in the order of the offer; one without a RID if there are no layers
	sound *layer       // instead of video; nil if there is a picture
	audio *media.Track // nil if there is none
	ready bool         // the stream's source has been said to be ready
}

// newLayers prepares what the plan takes of an offer.
func newLayers(s *hub.Stream, o *negotiation.Offer, p *negotiation.Plan) *layers {
	l := &layers{stream: s}
	for _, c := range p.Sections {
		switch {
		case c.Action != negotiation.Passthrough:
		case c.Kind == media.Audio && l.audio == nil:
			l.audio = &c.Track
		case c.Kind == media.Video && l.video == nil:
			l.video = layersOffered(o, c)
		}
	}
	if l.video == nil && l.audio != nil {
		l.sound = &layer{rendition: media.MainRendition}
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
	for _, v := range l.all() {
		l.keep(v.update(t))
	}
}

// Unit implements peer.Sink.
func (l *layers) Unit(rid, track string, au *media.AccessUnit) {
	if l.audio != nil && track == l.audio.ID {
		if l.sound != nil && l.sound.publisher == nil {
			l.open(l.sound, *l.audio)
		}
		for _, v := range l.all() {
			l.keep(v.write(track, au))
		}
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

// begin publishes a layer at its first keyframe, and asks for one if it began without.
func (l *layers) begin(v *layer, keyframe bool) {
	switch {
	case !keyframe:
		l.askFirst(v, v.heard)
	case l.audio != nil:
		l.open(v, *v.track, *l.audio)
	default:
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

func (l *layers) all() []*layer {
	if l.sound != nil {
		return []*layer{l.sound}
	}
	return l.video
}

// close lets go of the stream.
func (l *layers) close() {
	for _, v := range l.all() {
		v.close()
	}
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
