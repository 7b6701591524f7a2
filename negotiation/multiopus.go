package negotiation

import (
	"strconv"
	"strings"

	"sluice/media"
)

// multiopus is the encoding name under which Chromium carries Opus with more than two channels. It stands in
// no RFC; its parameters are those of the channel mapping family 1 of RFC 7845 5.1.1.
const multiopus = "multiopus"

// multiopusKeys are the parameters that both sides must agree on.
var multiopusKeys = []string{"channel_mapping", "num_streams", "coupled_streams"}

// soundMultiopus reports whether a format says how three to eight channels stand in their Opus streams.
func (f *Format) soundMultiopus() bool {
	streams, err := strconv.Atoi(f.param("num_streams"))
	coupled, err2 := strconv.Atoi(f.param("coupled_streams"))
	mapping := strings.Split(f.param("channel_mapping"), ",")
	if err != nil || err2 != nil || f.ClockRate != 48000 || f.Channels < 3 || f.Channels > 8 || len(mapping) != f.Channels {
		return false
	}
	if streams < 1 || coupled < 0 || coupled > streams || streams+coupled > f.Channels {
		return false
	}
	for _, word := range mapping {
		if n, err := strconv.Atoi(word); err != nil || n < 0 || n >= streams+coupled && n != 255 {
			return false
		}
	}
	return true
}

// matchMultiopus reports whether a track of more than two channels goes on a format without a change.
func matchMultiopus(t media.Track, f Format) bool {
	if !f.is(multiopus) || f.Channels != t.Channels {
		return false
	}
	for _, key := range multiopusKeys {
		if t.FMTP[key] == "" || t.FMTP[key] != f.param(key) {
			return false
		}
	}
	return true
}
