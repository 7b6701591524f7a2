//go:build gstreamer

package main

import (
	"testing"

	"sluice/worker/wire"
)

// What is ready tells how many tracks it has, so that nobody waits for more of them, or not long enough.
func TestReadyTellsTracks(t *testing.T) {
	const picture, sound = "videotestsrc is-live=true ! " + small, "audiotestsrc is-live=true"
	for name, c := range map[string]struct {
		text string
		want int64
	}{
		"one":             {picture, 1},
		"two":             {picture + "  " + sound, 2},
		"named":           {picture + " ! x264enc ! appsink name=video  " + sound + " ! opusenc ! appsink name=audio", 2},
		"more may come":   {picture + " ! x264enc tune=zerolatency ! h264parse ! decodebin", 0},
		"one, more later": {sound + "  " + picture + " ! x264enc tune=zerolatency ! h264parse ! decodebin", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, sourceJob(c.text))
			if m := p.wait(wire.TypeReady); m.Ext != c.want {
				t.Errorf("it tells of %d tracks, want %d", m.Ext, c.want)
			}
		})
	}
}
