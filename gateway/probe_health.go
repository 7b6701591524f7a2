package gateway

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/media"
	"sluice/negotiation"
)

const (
	longInterval = 4 * time.Second // between keyframes: longer, and those who come or lose packets see nothing for too long
	maxDrift     = 0.05            // of a sound clock, as far as a few seconds can tell
)

// finding is one line on a stream's health.
type finding struct {
	bad  bool
	text string
}

// findings is how a stream does, the picture first.
func (p *probed) findings() []finding {
	var all []finding
	if t, ok := media.First(p.tracks, media.Video); ok {
		all = append(all, p.keyframes(t)...)
		all = append(all, fitness(t)...)
		all = append(all, p.parameterSets(t)...)
	}
	if t, ok := media.First(p.tracks, media.Audio); ok {
		all = append(all, p.soundClock(t))
	}
	if p.way != nil {
		all = append(all, p.way.finding())
	}
	if p.ended != nil {
		all = append(all, finding{bad: true, text: "the source ended by itself: " + p.ended.Error()})
	}
	return all
}

func (p *probed) keyframes(t media.Track) []finding {
	s, ok := p.units[t.ID]
	if !ok || len(s.keyframes) == 0 {
		return []finding{{bad: true, text: "no keyframe came: shorten the keyframe interval in the camera's video settings"}}
	}
	first := finding{bad: s.keyframes[0] > longInterval, text: "first keyframe " + seconds(s.keyframes[0]) + " after the connection was begun"}
	all := s.intervals()
	if len(all) == 0 {
		text := "no second keyframe within " + seconds(s.span()) + ": set the keyframe interval to 1 or 2 s in the camera's video settings"
		return []finding{first, {bad: true, text: text}}
	}
	shortest, longest := all[0], all[len(all)-1]
	text := "a keyframe every " + seconds(all[len(all)/2])
	if seconds(shortest) != seconds(longest) {
		text += " (" + seconds(shortest) + " to " + seconds(longest) + ")"
	}
	if longest > longInterval {
		return []finding{first, {bad: true, text: text + ": set the interval to 1 or 2 s, or viewers wait for a picture after a loss"}}
	}
	return []finding{first, {text: text}}
}

// fitness tells of what keeps browsers from showing a picture, in the words that its viewers are told.
func fitness(t media.Track) []finding {
	if why := negotiation.Obstacle(t); why != "" {
		return []finding{{bad: true, text: why}}
	}
	if t.Codec == media.H264 || t.Codec == media.H265 {
		return []finding{{text: "no B-frames"}}
	}
	return nil
}

// parameterSets tells where those of a codec that has them come from. Over WebRTC it is always the stream.
func (p *probed) parameterSets(t media.Track) []finding {
	if p.way == nil || !slices.Contains([]media.Codec{media.H264, media.H265, media.MPEG4Video}, t.Codec) {
		return nil
	}
	first, ok := media.First(p.announced, media.Video)
	if ok && len(first.ParameterSets) > 0 {
		return []finding{{text: "parameter sets in the session description"}}
	}
	return []finding{{text: "parameter sets in the stream alone, none in the session description"}}
}

func (p *probed) soundClock(t media.Track) finding {
	s, ok := p.units[t.ID]
	switch {
	case !ok:
		return finding{bad: true, text: "sound is announced, but none came"}
	case s.pace() < 1-maxDrift || s.pace() > 1+maxDrift:
		text := fmt.Sprintf("the sound's clock of %d Hz runs at %.0f %% of its speed: check the camera's sample rate", t.ClockRate, 100*s.pace())
		return finding{bad: true, text: text}
	}
	return finding{text: fmt.Sprintf("the sound's clock of %d Hz keeps time", t.ClockRate)}
}

func (w *probeWay) finding() finding {
	way := strings.ToUpper(w.transport)
	if w.lost > 0 {
		return finding{bad: true, text: fmt.Sprintf("%d of %d packets were lost over %s", w.lost, w.packets+w.lost, way)}
	}
	return finding{text: fmt.Sprintf("%d packets over %s, none lost", w.packets, way)}
}
