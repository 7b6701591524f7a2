package session

import (
	"slices"

	"sluice/hub"
	"sluice/media"
)

// LayerChoice is which layer a viewer wants; the zero value leaves it to the gateway.
type LayerChoice struct {
	RID                 string // the name of one rendition; the largest that fits if it is not there
	MaxWidth, MaxHeight int    // pixels; 0: any
	MaxBitrate          int    // kbit/s; 0: any
}

// The margins of a wish for a bit rate, in percent: a rendition is left when it has 10 % too much, and gone up to
// when it has 10 % to spare.
const (
	marginStay  = 110
	marginFirst = 100
	marginUp    = 90
)

// pick chooses from the renditions that can be sent, best first: the best that fits, the smallest if none does.
// current is the one that was chosen before, "" for none. It returns "" only if there are none.
func (c LayerChoice) pick(all []hub.Rendition, current string) string {
	if slices.ContainsFunc(all, func(r hub.Rendition) bool { return r.Name == c.RID }) {
		return c.RID
	}
	at := slices.IndexFunc(all, func(r hub.Rendition) bool { return r.Name == current })
	smallest := ""
	for i, r := range all {
		t, ok := media.First(r.Tracks, media.Video)
		if !ok && smallest != "" {
			break
		}
		smallest = r.Name
		margin := marginFirst
		switch {
		case i == at:
			margin = marginStay
		case i < at && alike(r, all[at]):
			continue
		case i < at:
			margin = marginUp
		}
		if c.fits(t) && c.affords(r.Bitrate, margin) {
			return r.Name
		}
	}
	return smallest
}

// alike reports whether a rendition that is listed before another one is so by its bit rate alone, and by little: rates
// change all the time, and so would places.
func alike(r, other hub.Rendition) bool {
	const much = 150 // percent
	a, _ := media.First(r.Tracks, media.Video)
	b, _ := media.First(other.Tracks, media.Video)
	return a.Width*a.Height == b.Width*b.Height && r.Bitrate*100 <= other.Bitrate*much
}

// fits reports whether a picture is small enough, or its size is not known.
func (c LayerChoice) fits(t media.Track) bool {
	return (c.MaxWidth == 0 || t.Width <= c.MaxWidth) && (c.MaxHeight == 0 || t.Height <= c.MaxHeight)
}

// affords compares a bit rate in bit/s with the wish. One that is not known yet is no reason to go up.
func (c LayerChoice) affords(bitrate, margin int) bool {
	if c.MaxBitrate == 0 {
		return true
	}
	unit := 10 * margin // of a wish, in bit/s with its margin
	return (bitrate+unit-1)/unit <= c.MaxBitrate && (bitrate > 0 || margin != marginUp)
}
