package negotiation

import (
	"encoding/hex"
	"slices"
)

// h264Profile is a profile of RFC 6184 Table 5, named as users read it.
type h264Profile string

const (
	constrainedBaseline h264Profile = "Constrained Baseline"
	baseline            h264Profile = "Baseline"
	extended            h264Profile = "Extended"
	mainProfile         h264Profile = "Main"
	constrainedHigh     h264Profile = "Constrained High"
	high                h264Profile = "High"
	high10              h264Profile = "High 10"
	high422             h264Profile = "High 4:2:2"
	high444             h264Profile = "High 4:4:4 Predictive"
	high10Intra         h264Profile = "High 10 Intra"
	high422Intra        h264Profile = "High 4:2:2 Intra"
	high444Intra        h264Profile = "High 4:4:4 Intra"
	cavlc444Intra       h264Profile = "CAVLC 4:4:4 Intra"
)

// h264Table is RFC 6184 Table 5: profile_idc, then the bits of profile-iop that count and their values.
// Constrained High is not in it; browsers write it 640c.
var h264Table = []struct {
	idc, mask, bits byte
	profile         h264Profile
}{
	{0x42, 0x4f, 0x40, constrainedBaseline},
	{0x4d, 0x8f, 0x80, constrainedBaseline},
	{0x58, 0xcf, 0xc0, constrainedBaseline},
	{0x42, 0x4f, 0x00, baseline},
	{0x58, 0xcf, 0x80, baseline},
	{0x4d, 0xaf, 0x00, mainProfile},
	{0x58, 0xcf, 0x00, extended},
	{0x64, 0xff, 0x00, high},
	{0x64, 0xff, 0x0c, constrainedHigh},
	{0x6e, 0xff, 0x00, high10},
	{0x7a, 0xff, 0x00, high422},
	{0xf4, 0xff, 0x00, high444},
	{0x6e, 0xff, 0x10, high10Intra},
	{0x7a, 0xff, 0x10, high422Intra},
	{0xf4, 0xff, 0x10, high444Intra},
	{0x2c, 0xff, 0x10, cavlc444Intra},
}

// h264Supersets lists, for a stream's profile, the offered profiles whose decoders can show it, closest
// first. Constrained High stands for High and Main too: what it lacks, B-frames and interlacing, never gets
// this far.
var h264Supersets = map[h264Profile][]h264Profile{
	constrainedBaseline: {baseline, mainProfile, constrainedHigh, high, high10, high422, high444},
	baseline:            {extended},
	mainProfile:         {constrainedHigh, high, high10, high422, high444},
	constrainedHigh:     {high, high10, high422, high444},
	high:                {constrainedHigh, high10, high422, high444},
	high10:              {high422, high444},
	high422:             {high444},
}

// h264Lenient lists the profiles under which browsers show the streams of more usual profiles all the same,
// closest first.
var h264Lenient = []h264Profile{mainProfile, constrainedBaseline, constrainedHigh, baseline, high}

// h264Usual are the profiles whose streams every browser's decoder shows, whatever its offer says.
var h264Usual = []h264Profile{constrainedBaseline, baseline, extended, mainProfile, constrainedHigh, high}

// parseProfileLevelID reads six hex digits (RFC 6184 8.1).
func parseProfileLevelID(s string) (id [3]byte, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, false
	}
	return [3]byte(b), true
}

// tableProfile is the profile of a profile-level-id; "" if the table has none.
func tableProfile(id [3]byte) h264Profile {
	for _, row := range h264Table {
		if id[0] == row.idc && id[1]&row.mask == row.bits {
			return row.profile
		}
	}
	return ""
}

// streamProfile is the profile of an SPS. Encoders set constraint flags that the table does not know; the
// profile_idc alone tells then.
func streamProfile(id [3]byte) h264Profile {
	if p := tableProfile(id); p != "" {
		return p
	}
	return tableProfile([3]byte{id[0], 0, id[2]})
}

// place is the rank of p in a list, or -1.
func place(list []h264Profile, p h264Profile) int { return slices.Index(list, p) }
