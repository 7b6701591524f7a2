package negotiation

import (
	"fmt"
	"strings"

	"sluice/media"
)

// describe names what a track is: "H.264 1920×1080", "G.711 A-law".
func describe(t media.Track) string {
	if t.Width > 0 && t.Height > 0 {
		return fmt.Sprintf("%s %d×%d", t.Codec.Title(), t.Width, t.Height)
	}
	return t.Codec.Title()
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

// ProfileTitle names the profile of a picture as people do: "Constrained Baseline", "profile 1"; "" of a codec without
// profiles, of sound, and while it is not known.
func ProfileTitle(t media.Track) string {
	if t.Kind != media.Video {
		return ""
	}
	return strings.TrimPrefix(stream(t), " ")
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
