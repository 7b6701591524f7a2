package transcode

import (
	"fmt"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/worker/pipeline"
)

// What can be made, best first. Constrained Baseline comes before VP8, since it costs a third less and cameras have it.
var (
	pictureCodecs = [...]media.Codec{media.H264, media.VP8}
	soundCodecs   = [...]media.Codec{media.Opus, media.PCMU, media.PCMA}
)

// Renditions are those of the configuration, with the source's tracks and the size that the picture will have, as far
// as that is known. There are none while the source sends no picture, nor where nothing can be made.
func (t *Stream) Renditions() []hub.Rendition {
	if t.absent() != "" {
		return nil
	}
	source := t.hub.Tracks(t.best())
	if _, ok := media.First(source, media.Video); !ok && source != nil {
		return nil
	}
	all := make([]hub.Rendition, 0, len(t.options.Renditions))
	for _, r := range t.options.Renditions {
		tracks := make([]media.Track, 0, len(source))
		for _, s := range source {
			if s.Kind == media.Video {
				s.Width, s.Height = pipeline.Scaled(s, 0, r.Height)
			}
			tracks = append(tracks, s)
		}
		all = append(all, hub.Rendition{Name: r.Name, Tracks: tracks, Bitrate: r.MaxBitrateKbps * 1000})
	}
	return all
}

// Capacity is what can be made now for the rendition base of the tracks that stand behind it.
func (t *Stream) Capacity(base string, tracks []media.Track) negotiation.Capacity {
	c := negotiation.Capacity{Forced: t.forced(base)}
	if absent := t.absent(); absent != "" {
		c.Video.Absent, c.Audio.Absent = absent, absent
		return c
	}
	if picture, ok := decodable(tracks, media.Video); ok {
		c.Video = t.pictures(base, picture)
	}
	if sound, ok := decodable(tracks, media.Audio); ok {
		c.Audio = t.sounds(base, sound)
	}
	return c
}

// Possible is what a transcoder makes of tracks that lacks nothing, under "auto".
func Possible(tracks []media.Track) negotiation.Capacity {
	var c negotiation.Capacity
	if picture, ok := decodable(tracks, media.Video); ok {
		c.Video.Variants = picturesOf(picture, 0)
	}
	if sound, ok := decodable(tracks, media.Audio); ok {
		c.Audio.Variants = soundsOf(sound)
	}
	return c
}

// decodable is the track of a kind that viewers get, if something can be made of it.
func decodable(tracks []media.Track, kind media.Kind) (media.Track, bool) {
	t, ok := media.First(tracks, kind)
	return t, ok && pipeline.CanDecodeTrack(t)
}

// picturesOf is what can be made of a picture, best first.
func picturesOf(picture media.Track, height int) []negotiation.Variant {
	var all []negotiation.Variant
	for _, codec := range pictureCodecs {
		all = append(all, negotiation.Variant{Track: pictureOf(picture, codec, height)})
	}
	return all
}

// soundsOf is what can be made of a sound, best first. It is not made anew in its own codec, but for fewer channels.
func soundsOf(sound media.Track) []negotiation.Variant {
	var all []negotiation.Variant
	for _, codec := range soundCodecs {
		if made := soundOf(sound, codec); sound.Codec != codec || sound.Channels > made.Channels {
			all = append(all, negotiation.Variant{Track: made})
		}
	}
	return all
}

// pictures is what can be made of a picture for the rendition base.
func (t *Stream) pictures(base string, picture media.Track) negotiation.Supply {
	s := negotiation.Supply{Full: t.full()}
	height := 0
	if r, ok := t.configured(base); ok {
		height = r.Height
	}
	var fault error
	for _, v := range picturesOf(picture, height) {
		s.Variants, fault = t.offer(s.Variants, v, picture, t.videoKey(base, t.sourceOf(base), v.Track.Codec), fault)
	}
	if len(s.Variants) == 0 && fault != nil {
		s.Absent = fault.Error() + "."
	}
	return s
}

// sounds is what can be made of a sound for the rendition base.
func (t *Stream) sounds(base string, sound media.Track) negotiation.Supply {
	var s negotiation.Supply
	if full, _ := t.service.sounds.full(); full {
		s.Full = fmt.Sprintf("All %d encoders of sound that may run at a time are in use.", t.service.sounds.limit)
	}
	for _, v := range soundsOf(sound) {
		s.Variants, _ = t.offer(s.Variants, v, sound, audioKey(t.sourceOf(base), v.Track.Codec), nil)
	}
	return s
}

// offer appends a variant of a track to those that can be made, unless that has proved impossible: then it returns
// why.
func (t *Stream) offer(all []negotiation.Variant, v negotiation.Variant, of media.Track, k key, fault error) ([]negotiation.Variant, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f, bad := t.faults[k]; bad && f.stands(of) {
		return all, f.err
	}
	v.Running = t.jobs[k] != nil && !t.jobs[k].dead()
	return append(all, v), fault
}

// forced says why the picture may not be passed on as it is.
func (t *Stream) forced(base string) string {
	r, configured := t.configured(base)
	switch {
	case configured && r.Height > 0:
		return fmt.Sprintf("The rendition %s is made %d lines high.", base, r.Height)
	case configured && r.FPS > 0:
		return fmt.Sprintf("The rendition %s is made with %d pictures in a second.", base, r.FPS)
	case configured:
		return fmt.Sprintf("The rendition %s is made anew.", base)
	case t.options.Process != "":
		return `The pictures of this stream go through its "process" first.`
	case t.options.Mode == negotiation.TranscodeAlways:
		return `This stream has transcode = "always".`
	}
	return ""
}

// absent says why nothing can be made at all.
func (t *Stream) absent() string {
	if t.options.Mode == negotiation.TranscodeNever {
		return `this stream has transcode = "never".`
	}
	if err := t.service.workers.Err(); err != nil {
		return err.Error() + "."
	}
	return ""
}

// full says why no other picture encoder may start.
func (t *Stream) full() string {
	full, overloaded := t.service.pictures.full()
	switch {
	case overloaded:
		return "This machine is too slow for another encoder now."
	case full && t.service.pictures.limit == 1:
		return "The one encoder that may run at a time (transcode.max_workers) is in use."
	case full:
		return fmt.Sprintf("All %d encoders that may run at a time (transcode.max_workers) are in use.", t.service.pictures.limit)
	}
	return ""
}
