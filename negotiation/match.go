package negotiation

import (
	"cmp"
	"strconv"
	"strings"

	"sluice/media"
)

// fit says how well a stream goes on an offered format; less is better.
type fit int

const (
	fitExact    fit = iota
	fitSuperset     // the offered profile includes the stream's
	fitWildcard     // the offer says nothing of the format
	fitLenient      // the offered profile is smaller, but browsers decode the stream all the same
	fitNone
)

// match is the rank of one offered format for one track.
type match struct {
	fit      fit
	distance int  // between the profiles, within one fit
	short    bool // the stream's level is above the offered one
}

func (m match) compare(o match) int {
	if c := cmp.Or(cmp.Compare(m.fit, o.fit), cmp.Compare(m.distance, o.distance)); c != 0 || m.short == o.short {
		return c
	}
	if m.short {
		return 1
	}
	return -1
}

// best picks the offered format that a track fits best, the earlier of two that are as good.
func best(t media.Track, s *Section, policy Policy) (Format, match) {
	var chosen Format
	rank := match{fit: fitNone}
	for _, f := range s.Formats {
		if f.Codec != t.Codec || !f.usable() {
			continue
		}
		if m := matchFormat(t, f, s.noFMTP, policy); m.compare(rank) < 0 {
			chosen, rank = f, m
		}
	}
	return chosen, rank
}

func matchFormat(t media.Track, f Format, noFMTP bool, policy Policy) match {
	p := t.Profile
	switch t.Codec {
	case media.H264:
		return matchH264(p, f, noFMTP, policy)
	case media.H265:
		level, _ := f.number("level-id", 93)
		equal := f.equals("profile-id", 1, p.Profile, p.Known) && f.equals("tier-flag", 0, p.Tier, p.Known)
		return plain(equal && f.singleStream(), noFMTP, p.Known && p.Level > level)
	case media.AV1:
		level, _ := f.number("level-idx", 5)
		tier, ok := f.number("tier", 0)
		return plain(f.equals("profile", 0, p.Profile, p.Known) && ok && p.Tier <= tier, noFMTP, p.Known && p.Level > level)
	case media.VP9:
		return plain(f.equals("profile-id", 0, p.Profile, p.Known), noFMTP, false)
	case media.VP8:
		return plain(f.ClockRate == t.ClockRate, false, false)
	}
	return plain(matchAudio(t, f), false, false)
}

// plain is the match of a codec that knows no supersets.
func plain(equal, noFMTP, short bool) match {
	switch {
	case equal:
		return match{fit: fitExact, short: short}
	case noFMTP:
		return match{fit: fitWildcard}
	}
	return match{fit: fitNone}
}

// matchAudio compares clock and channels. Opus says in its packets how many channels it has, one or two, and
// G.722 is sampled at twice its RTP clock, which some write as its clock (RFC 3551 4.5.2).
func matchAudio(t media.Track, f Format) bool {
	channels := max(t.Channels, 1)
	switch t.Codec {
	case media.Opus:
		if channels > 2 {
			return matchMultiopus(t, f)
		}
		return f.ClockRate == 48000 && f.is("opus")
	case media.G722:
		return (f.ClockRate == 8000 || f.ClockRate == 16000) && channels == f.Channels
	}
	return f.ClockRate == t.ClockRate && channels == f.Channels
}

// matchH264 ranks by RFC 6184 Table 5. Packetisation mode 1 is required, since mode 0 can't carry a NAL unit
// that is larger than a packet.
func matchH264(p media.VideoProfile, f Format, noFMTP bool, policy Policy) match {
	none := match{fit: fitNone}
	if noFMTP {
		return match{fit: fitWildcard}
	}
	if f.param("packetization-mode") != "1" {
		return none
	}
	id, given := parseProfileLevelID(f.param("profile-level-id"))
	offered := tableProfile(id)
	if !given {
		offered, id[2] = baseline, 10 // the default of RFC 6184 8.1
	}
	if !p.Known {
		if policy.H264 == H264Strict {
			return none
		}
		return match{fit: fitLenient, distance: lenientDistance(constrainedBaseline, offered)}
	}
	stream := streamProfile(p.ProfileLevelID)
	short := p.ProfileLevelID[2] > id[2]
	switch i := place(h264Supersets[stream], offered); {
	case stream == offered:
		return match{fit: fitExact, short: short}
	case i >= 0:
		return match{fit: fitSuperset, distance: i, short: short}
	case policy.H264 == H264Strict || place(h264Usual, stream) < 0:
		return none
	}
	return match{fit: fitLenient, distance: lenientDistance(stream, offered), short: short}
}

// lenientDistance ranks an offered profile that does not include the stream's. A Baseline stream goes best
// as Constrained Baseline, since no camera uses what only Baseline has.
func lenientDistance(stream, offered h264Profile) int {
	if offered == constrainedBaseline && (stream == baseline || stream == constrainedBaseline) {
		return 0
	}
	if i := place(h264Lenient, offered); i >= 0 {
		return i + 1
	}
	return len(h264Lenient) + 1
}

// number is a numeric parameter, or its default if it is absent; ok is false if it is not a number.
func (f *Format) number(key string, absent int) (int, bool) {
	s, given := f.lookup(key)
	if !given {
		return absent, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// singleStream reports whether an H.265 stream goes in one RTP stream.
func (f *Format) singleStream() bool {
	mode := f.param("tx-mode")
	return mode == "" || strings.EqualFold(mode, "SRST")
}

// equals compares a parameter with what the bitstream says, or with the default while that is not known.
func (f *Format) equals(key string, absent, stream int, known bool) bool {
	if !known {
		stream = absent
	}
	n, ok := f.number(key, absent)
	return ok && n == stream
}
