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

// describe names what a track is: "H.264 1920×1080", "G.711 A-law".
func describe(t media.Track) string {
	if t.Width > 0 && t.Height > 0 {
		return fmt.Sprintf("%s %d×%d", t.Codec.Title(), t.Width, t.Height)
	}
	return t.Codec.Title()
}

// blocked says, in a user's words, why a track can go to no viewer whatever is offered; "" if it can.
func blocked(t media.Track) string {
	if t.Codec != media.H264 && t.Codec != media.H265 {
		return ""
	}
	sends := "The camera sends " + t.Codec.Title()
	p := t.Profile
	switch {
	case t.BFrames:
		return sends + ` with B-frames, which browsers cannot show over WebRTC. Turn B-frames off in the camera's video settings ` +
			`(often called "B-frames", "smart codec" or profile High → Baseline).`
	case t.Interlaced:
		return sends + " with interlaced pictures, which browsers cannot show over WebRTC. " +
			"Choose a progressive mode in the camera's video settings (1080p instead of 1080i)."
	case p.Known && p.ChromaFormat != 1:
		return sends + " with " + chroma(p.ChromaFormat) + ", which browsers cannot show over WebRTC. Choose 4:2:0 in the camera's video settings."
	case t.Codec == media.H264 && t.BitDepth > 8:
		return fmt.Sprintf("%s with %d bits per sample, which browsers cannot show over WebRTC. Choose 8 bits in the camera's video settings.", sends, t.BitDepth)
	case t.Codec == media.H264 && p.Known && p.ProfileLevelID[2] > maxH264Level:
		level := p.ProfileLevelID[2]
		return fmt.Sprintf("%s of level %d.%d, which is more than browsers can show. Choose a smaller picture or frame rate in the camera's video settings.",
			sends, level/10, level%10)
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

// absent says why there is no track of a kind.
func absent(source []media.Track, kind media.Kind) string {
	for _, t := range source {
		if t.Kind == kind && t.Skipped != "" {
			return t.Skipped
		}
	}
	if kind == media.Video {
		return "The stream has no picture."
	}
	return "The stream has no sound."
}

// refused says why a track that could be carried fits none of the offered formats.
func refused(t media.Track, s *Section, policy Policy) string {
	sentence := fmt.Sprintf("The camera sends %s; this browser offers %s.", describe(t), list(s.offers()))
	if !slices.Contains(carried, t.Codec) {
		return sentence + " " + t.Codec.Title() + " cannot go over WebRTC: " + instead(t.Kind)
	}
	var variants []string
	for _, f := range s.Formats {
		if v := variant(f); f.Codec == t.Codec && f.usable() && !slices.Contains(variants, v) {
			variants = append(variants, v)
		}
	}
	if len(variants) == 0 {
		return sentence
	}
	sentence = fmt.Sprintf("The camera sends %s%s; this browser offers %s only as %s.", describe(t), stream(t), t.Codec.Title(), list(variants))
	if t.Codec == media.H264 && policy.H264 == H264Strict {
		sentence += ` The setting h264_policy = "lenient" may help.`
	}
	return sentence
}

func instead(kind media.Kind) string {
	if kind == media.Video {
		return "choose H.264 in the camera's video settings."
	}
	return "choose G.711 or Opus in the camera's audio settings."
}

// passed says how a track goes.
func passed(t media.Track, f Format, m match) string {
	what := describe(t) + stream(t)
	switch m.fit {
	case fitSuperset:
		return fmt.Sprintf("%s is passed on as it is; the offered %s includes it.", what, variant(f))
	case fitWildcard:
		return fmt.Sprintf("%s is passed on as it is; the offer accepts any %s.", what, f.Codec.Title())
	case fitLenient:
		return fmt.Sprintf("%s is passed on as it is under the offered %s, which browsers decode all the same.", what, variant(f))
	}
	return what + " is passed on as it is."
}

// stream is the profile of a track, or for sound its clock and channels, with a blank before it.
func stream(t media.Track) string {
	p := t.Profile
	switch {
	case t.Codec == media.PCMU || t.Codec == media.PCMA:
		return fmt.Sprintf(" %d Hz %s", t.ClockRate, channels(t.Channels))
	case t.Codec == media.Opus && t.Channels > 2:
		return " " + channels(t.Channels)
	case t.Kind != media.Video || t.Codec == media.VP8 || !p.Known:
		return ""
	case t.Codec != media.H264:
		return fmt.Sprintf(" profile %d%s", p.Profile, tier(p.Tier))
	}
	if name := streamProfile(p.ProfileLevelID); name != "" {
		return " " + string(name)
	}
	return fmt.Sprintf(" profile %d", p.ProfileLevelID[0])
}

func tier(n int) string {
	if n == 0 {
		return ""
	}
	return ", high tier"
}

// variant tells a format from others of its codec.
func variant(f Format) string {
	switch f.Codec {
	case media.H264:
		id, _ := parseProfileLevelID(f.param("profile-level-id"))
		name := string(tableProfile(id))
		if id == ([3]byte{}) {
			name = "profile unnamed"
		} else if name == "" {
			name = fmt.Sprintf("profile %d", id[0])
		}
		if f.param("packetization-mode") != "1" {
			return name + " in single-packet mode"
		}
		return name
	case media.H265:
		profile, _ := f.number("profile-id", 1)
		high, _ := f.number("tier-flag", 0)
		return fmt.Sprintf("profile %d%s", profile, tier(high))
	case media.AV1:
		profile, _ := f.number("profile", 0)
		return fmt.Sprintf("profile %d", profile)
	case media.VP9:
		profile, _ := f.number("profile-id", 0)
		return fmt.Sprintf("profile %d", profile)
	}
	return fmt.Sprintf("%d Hz %s", f.ClockRate, channels(f.Channels))
}

func channels(n int) string {
	switch n {
	case 0, 1:
		return "mono"
	case 2:
		return "stereo"
	}
	return fmt.Sprintf("with %d channels", n)
}

// list joins words with commas; "nothing of the kind" if there are none.
func list(words []string) string {
	if len(words) == 0 {
		return "nothing of the kind"
	}
	return strings.Join(words, ", ")
}
