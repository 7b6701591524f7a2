package push

import (
	"errors"
	"fmt"
	"slices"

	"sluice/hub"
	"sluice/media"
)

// UnfitError tells that what the stream carries cannot be pushed.
type UnfitError struct{ Reason string } // a sentence for a user

func (e *UnfitError) Error() string { return e.Reason }

var errUnpublished = errors.New("the stream is not published")

// choice is what is sent of a stream.
type choice struct {
	rendition string
	tracks    []media.Track // one of each kind at most
	note      string        // what is left out, and why
}

// choose picks the best rendition whose picture can be sent; without any picture the best sound. Its errors are
// *UnfitError, and errUnpublished for none.
func choose(all []hub.Rendition) (choice, error) {
	err := errUnpublished
	for _, r := range all {
		c, fault := fit(r)
		if fault == nil {
			return c, nil
		}
		if errors.Is(err, errUnpublished) {
			err = fault
		}
	}
	return choice{}, err
}

// fit is what can be sent of one rendition: all of its picture, and its sound if that is possible.
func fit(r hub.Rendition) (choice, error) {
	c := choice{rendition: r.Name}
	if t, ok := media.First(r.Tracks, media.Video); ok {
		if why := obstacle(t); why != "" {
			return choice{}, &UnfitError{Reason: why}
		}
		c.tracks = append(c.tracks, t)
	}
	if t, ok := media.First(r.Tracks, media.Audio); ok {
		why := obstacle(t)
		if why == "" {
			c.tracks = append(c.tracks, t)
		} else {
			c.note = "The sound is left out. " + why
		}
	}
	if len(c.tracks) > 0 {
		return c, nil
	}
	if c.note != "" {
		return choice{}, &UnfitError{Reason: c.note}
	}
	return choice{}, &UnfitError{Reason: "The stream has neither picture nor sound that can be sent."}
}

var carried = []media.Codec{
	media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.Opus, media.G722, media.PCMU, media.PCMA,
}

// obstacle says why a track can't go over WebRTC; "" if it can.
func obstacle(t media.Track) string {
	codec := t.Codec.Title()
	switch {
	case !slices.Contains(carried, t.Codec):
		return codec + " cannot go over WebRTC."
	case t.BFrames:
		return fmt.Sprintf("The source sends %s with B-frames, which cannot be shown over WebRTC: turn them off in the encoder.", codec)
	case t.Interlaced:
		return fmt.Sprintf("The source sends %s with interlaced pictures, which cannot be shown over WebRTC: choose a progressive mode.", codec)
	}
	return ""
}

// without is the choice for a server that refuses sound of a codec: the picture alone. Where there is no picture, or
// other sound, it is c.
func (c choice) without(sound media.Codec) choice {
	t, ok := media.First(c.tracks, media.Audio)
	if !ok || t.Codec != sound || len(c.tracks) == 1 {
		return c
	}
	c.tracks = slices.DeleteFunc(slices.Clone(c.tracks), func(t media.Track) bool { return t.Kind == media.Audio })
	c.note = fmt.Sprintf("The sound is left out. The server refuses %s.", sound.Title())
	return c
}

// covers reports whether a session that was made for c can go on with the tracks of o.
func (c choice) covers(o choice) bool {
	return !slices.ContainsFunc(o.tracks, func(t media.Track) bool {
		return !slices.ContainsFunc(c.tracks, func(s media.Track) bool { return s.ID == t.ID && s.Codec == t.Codec })
	})
}

// same reports whether both are of one rendition and the same codecs.
func (c choice) same(o choice) bool {
	return c.rendition == o.rendition && c.covers(o) && o.covers(c)
}

// settled reports whether all pictures are known as far as a keyframe tells.
func settled(all []hub.Rendition) bool {
	return !slices.ContainsFunc(all, func(r hub.Rendition) bool {
		t, ok := media.First(r.Tracks, media.Video)
		return ok && t.Width == 0
	})
}
