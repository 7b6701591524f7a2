package session

import (
	"encoding/hex"
	"slices"
	"strconv"

	"sluice/media"
	"sluice/negotiation"
)

// offerOf is what a viewer would offer that can take exactly these tracks, so that a counter-offer is decided on, and
// a source that changes judged, as for all other viewers.
func offerOf(tracks []media.Track) *negotiation.Offer {
	o := &negotiation.Offer{Role: negotiation.RolePlay}
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		t, ok := media.First(tracks, kind)
		if !ok {
			continue
		}
		o.Sections = append(o.Sections, negotiation.Section{
			MID: strconv.Itoa(len(o.Sections)), Kind: kind, Media: string(kind), Enabled: true,
			Direction: negotiation.RecvOnly, RTCPMux: true, Formats: []negotiation.Format{formatOf(t)},
		})
	}
	return o
}

// overWebRTC are the codecs that have a payload format for it in browsers.
var overWebRTC = []media.Codec{
	media.H264, media.H265, media.VP8, media.VP9, media.AV1, media.Opus, media.PCMU, media.PCMA, media.G722,
}

// formatOf is the format of a track, or, for one that can't go over WebRTC, what viewers take in its place.
func formatOf(t media.Track) negotiation.Format {
	if !slices.Contains(overWebRTC, t.Codec) && t.Kind == media.Video {
		t = media.Track{Kind: media.Video, Codec: media.H264, ClockRate: 90000}
	} else if !slices.Contains(overWebRTC, t.Codec) {
		t = media.Track{Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
	}
	f := negotiation.Format{
		PayloadType: 96, Codec: t.Codec, Name: string(t.Codec), ClockRate: t.ClockRate,
		Channels: max(t.Channels, 1), Params: parametersOf(t),
	}
	if t.Kind == media.Video {
		f.Channels = 0
	}
	return f
}

// parametersOf are the format parameters that a track fits exactly.
func parametersOf(t media.Track) map[string]string {
	p := t.Profile
	switch t.Codec {
	case media.H264:
		id := p.ProfileLevelID
		if !p.Known {
			id = [3]byte{0x42, 0xE0, 0x1F}
		}
		return map[string]string{"packetization-mode": "1", "profile-level-id": hex.EncodeToString(id[:])}
	case media.H265:
		return parameters(p, map[string]int{"profile-id": p.Profile, "level-id": p.Level, "tier-flag": p.Tier})
	case media.AV1:
		return parameters(p, map[string]int{"profile": p.Profile, "level-idx": p.Level, "tier": p.Tier})
	case media.VP9:
		return parameters(p, map[string]int{"profile-id": p.Profile})
	}
	return nil
}

// parameters are none while the profile is not known: those that are not said have the defaults.
func parameters(p media.VideoProfile, numbers map[string]int) map[string]string {
	if !p.Known {
		return nil
	}
	m := make(map[string]string, len(numbers))
	for key, n := range numbers {
		m[key] = strconv.Itoa(n)
	}
	return m
}
