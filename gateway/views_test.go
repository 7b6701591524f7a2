package gateway

import (
	"testing"

	"sluice/hub"
	"sluice/media"
)

// A picture is promised only where there is one to ask for.
func TestShows(t *testing.T) {
	h265 := media.Track{ID: "video", Kind: media.Video, Codec: media.H265}
	mjpeg := media.Track{ID: "video", Kind: media.Video, Codec: media.MJPEG}
	sound := media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus}
	skipped := media.Track{Kind: media.Video, Skipped: "Its codec is unknown."}
	for _, c := range []struct {
		name            string
		tracks          []media.Track
		worker, process bool
		want            bool
	}{
		{"H265", []media.Track{h265, sound}, true, false, true},
		{"H265, no worker", []media.Track{h265, sound}, false, false, false},
		{"Motion JPEG, no worker", []media.Track{mjpeg}, false, false, true},
		{"Motion JPEG through a process, no worker", []media.Track{mjpeg}, false, true, false},
		{"Motion JPEG through a process", []media.Track{mjpeg}, true, true, true},
		{"sound alone", []media.Track{sound}, true, false, false},
		{"a picture that is not carried", []media.Track{skipped, sound}, true, false, false},
		{"nothing", nil, true, false, false},
	} {
		if got := shows([]hub.Rendition{{Name: "main", Tracks: c.tracks}}, c.worker, c.process); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
