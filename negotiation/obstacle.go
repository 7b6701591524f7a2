package negotiation

import (
	"fmt"
	"slices"
	"strings"

	"sluice/media"
)

// maxH264Level is 5.2: beyond it, decoders of browsers give up.
const maxH264Level = 52

// carried are the codecs that WebRTC has payload formats for in browsers.
var carried = []media.Codec{media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.Opus, media.PCMU, media.PCMA, media.G722}

// obstacle is why a track is not passed on, in parts of what a user reads.
type obstacle struct {
	why    string // a sentence without its full stop
	advice string // the sentence after it where nothing can be made; "": the remedy
	remedy string // what to change at the camera, without a full stop; "" for nothing
}

// String is what is said where the track can't be sent.
func (o obstacle) String() string {
	if o.advice != "" {
		return o.why + ". " + o.advice
	}
	return o.why + "."
}

// overcome is what is said where something is made of the track.
func (o obstacle) overcome(source, made media.Track) string {
	what := made.Codec.Title()
	if made.Width != source.Width || made.Height != source.Height {
		what = describe(made)
	}
	text := o.why + ": made into " + what + stream(made) + " by the transcoder."
	if o.remedy != "" {
		text += " " + o.remedy + " to save that work."
	}
	return text
}

// unshown is the obstacle of a stream that browsers can't show, with what to change about it.
func unshown(why, remedy string) (obstacle, bool) {
	return obstacle{why: why, advice: remedy + ".", remedy: remedy}, true
}

// blocked says, in a user's words, why a track can go to no viewer whatever is offered. It reports false if it can.
func blocked(t media.Track) (obstacle, bool) {
	if t.Codec != media.H264 && t.Codec != media.H265 {
		return obstacle{}, false
	}
	sends, p := "The camera sends "+t.Codec.Title(), t.Profile
	with := func(what, remedy string) (obstacle, bool) {
		return unshown(sends+" with "+what+", which browsers cannot show over WebRTC", remedy)
	}
	switch {
	case t.BFrames:
		return with("B-frames", `Turn B-frames off in the camera's video settings (often called "B-frames", "smart codec" or profile High → Baseline)`)
	case t.Interlaced:
		return with("interlaced pictures", "Choose a progressive mode in the camera's video settings (1080p instead of 1080i)")
	case p.Known && p.ChromaFormat != 1:
		return with(chroma(p.ChromaFormat), "Choose 4:2:0 in the camera's video settings")
	case t.Codec == media.H264 && t.BitDepth > 8:
		return with(fmt.Sprintf("%d bits per sample", t.BitDepth), "Choose 8 bits in the camera's video settings")
	case t.Unusual != "":
		return with(t.Unusual, "Choose the profile Main or High in the camera's video settings")
	case t.Codec == media.H264 && p.Known && p.ProfileLevelID[2] > maxH264Level:
		level := p.ProfileLevelID[2]
		return unshown(fmt.Sprintf("%s of level %d.%d, which is more than browsers can show", sends, level/10, level%10),
			"Choose a smaller picture or frame rate in the camera's video settings")
	}
	return obstacle{}, false
}

// Obstacle says, in a user's words, why browsers can't show a track whatever they offer, and what to change about that;
// "" if they can.
func Obstacle(t media.Track) string {
	if o, is := blocked(t); is {
		return o.String()
	}
	return ""
}

func chroma(format int) string {
	switch format {
	case 0:
		return "no colour planes (4:0:0)"
	case 2:
		return "4:2:2 colour"
	}
	return "4:4:4 colour"
}

// refused is the obstacle of a track that fits none of the offered formats.
func refused(t media.Track, s *Section, policy Policy) obstacle {
	o := obstacle{
		why:    fmt.Sprintf("The camera sends %s; this browser offers %s", describe(t), list(s.offers())),
		remedy: s.remedy(t.Codec),
	}
	if !slices.Contains(carried, t.Codec) {
		o.advice = t.Codec.Title() + " cannot go over WebRTC: " + instead(t.Kind)
		return o
	}
	var variants []string
	for _, f := range s.Formats {
		if v := variant(f); f.Codec == t.Codec && f.usable() && !slices.Contains(variants, v) {
			variants = append(variants, v)
		}
	}
	if len(variants) == 0 {
		return o
	}
	o.why = fmt.Sprintf("The camera sends %s%s; this browser offers %s only as %s", describe(t), stream(t), t.Codec.Title(), list(variants))
	if t.Codec == media.H264 && policy.H264 == H264Strict {
		o.advice = `The setting h264_policy = "lenient" may help.`
	}
	return o
}

// What cameras could send instead, to whoever can take it.
var (
	plainPicture = media.Track{
		Kind: media.Video, Codec: media.H264, ClockRate: 90000,
		Profile: media.VideoProfile{ProfileLevelID: [3]byte{0x42, 0xe0, 0x1f}, ChromaFormat: 1, Known: true},
	}
	plainSound = media.Track{Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

// remedy is what to choose at a camera instead of a codec, if the section could take it; "" if there is nothing.
func (s *Section) remedy(sent media.Codec) string {
	helps := func(t media.Track) bool {
		_, m := best(t, s, Policy{})
		return t.Kind == s.Kind && t.Codec != sent && m.fit != fitNone
	}
	switch {
	case helps(plainPicture):
		return "Choose H.264 in the camera's video settings"
	case helps(plainSound):
		return "Choose Opus in the camera's audio settings, if it is there,"
	}
	return ""
}

func instead(kind media.Kind) string {
	if kind == media.Video {
		return "choose H.264 in the camera's video settings."
	}
	return "choose G.711 or Opus in the camera's audio settings."
}

// withoutStop is a sentence without the full stop at its end.
func withoutStop(sentence string) string { return strings.TrimSuffix(sentence, ".") }
