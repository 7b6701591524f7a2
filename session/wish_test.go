package session

import (
	"testing"

	"sluice/hub"
	"sluice/media"
)

func rendition(name string, width, height, kbps int) hub.Rendition {
	return hub.Rendition{Name: name, Tracks: []media.Track{sized(width, height), sound}, Bitrate: kbps * 1000}
}

// B16: which rendition a viewer gets, with 10 % to either side before it changes.
func TestPick(t *testing.T) {
	high, middle, low := rendition("h", 1280, 720, 2000), rendition("m", 640, 360, 500), rendition("l", 320, 180, 150)
	upright := rendition("u", 360, 640, 500)
	busy, busiest := rendition("f", 640, 360, 750), rendition("f", 640, 360, 751)
	unknown := rendition("n", 1280, 720, 0)
	only := hub.Rendition{Name: "sound", Tracks: []media.Track{sound}}
	all := []hub.Rendition{high, middle, low, only}
	rate := func(kbps int) LayerChoice { return LayerChoice{MaxBitrate: kbps} }
	for name, c := range map[string]struct {
		wish    LayerChoice
		all     []hub.Rendition
		current string
		want    string
	}{
		"no wish: the best":                      {LayerChoice{}, all, "l", "h"},
		"by width":                               {LayerChoice{MaxWidth: 640}, all, "", "m"},
		"by height":                              {LayerChoice{MaxHeight: 300}, all, "", "l"},
		"by height, upright":                     {LayerChoice{MaxHeight: 400}, []hub.Rendition{upright, low}, "", "l"},
		"by bit rate":                            {rate(1000), all, "", "m"},
		"nothing fits: the smallest":             {LayerChoice{MaxWidth: 100}, all, "", "l"},
		"nothing fits by rate":                   {rate(1), all, "h", "l"},
		"by name":                                {LayerChoice{RID: "l", MaxWidth: 10}, all, "h", "l"},
		"by a name that is not there":            {LayerChoice{RID: "x", MaxWidth: 700}, all, "h", "m"},
		"sound alone":                            {LayerChoice{MaxWidth: 100}, []hub.Rendition{only}, "", "sound"},
		"first choice: no margin":                {rate(1999), all, "", "m"},
		"first choice: exactly":                  {rate(2000), all, "", "h"},
		"first choice: unknown rate":             {rate(100), []hub.Rendition{unknown, low}, "", "n"},
		"stays with 10 % too much":               {rate(1819), all, "h", "h"},
		"down with more than that":               {rate(1818), all, "h", "m"},
		"up with 10 % to spare":                  {rate(2223), all, "m", "h"},
		"not up with less":                       {rate(2222), all, "m", "m"},
		"not up to an unknown rate":              {rate(9999), []hub.Rendition{unknown, low}, "l", "l"},
		"the one that was chosen is gone":        {rate(600), []hub.Rendition{middle, low}, "h", "m"},
		"an enormous wish is no overflow":        {rate(1 << 62), all, "h", "h"},
		"as large, with a little more":           {LayerChoice{}, []hub.Rendition{busy, middle, low}, "m", "m"},
		"as large, with much more":               {LayerChoice{}, []hub.Rendition{busiest, middle, low}, "m", "f"},
		"as large, of rates that are not known":  {LayerChoice{}, []hub.Rendition{rendition("e", 0, 0, 0), rendition("n", 0, 0, 0)}, "n", "n"},
		"as large as one that is too large":      {LayerChoice{MaxWidth: 400}, []hub.Rendition{busy, middle, low}, "m", "l"},
		"no renditions":                          {LayerChoice{RID: "h"}, nil, "h", ""},
		"size unknown":                           {LayerChoice{MaxWidth: 10}, []hub.Rendition{rendition("main", 0, 0, 0)}, "", "main"},
		"sound is no way out of a small picture": {LayerChoice{MaxWidth: 10}, []hub.Rendition{low, only}, "", "l"},
	} {
		if got := c.wish.pick(c.all, c.current); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
