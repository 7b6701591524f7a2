package gateway

import (
	"testing"

	"sluice/admin"
	"sluice/hub"
	"sluice/media"
	"sluice/transcode"
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

// What is done less than asked for is no error, and two encoders of one codec are told apart.
func TestAdminTranscode(t *testing.T) {
	got := adminTranscode(transcode.Status{
		Rendition: "main", Makes: "low", Kind: media.Video, Codec: media.H264, Height: 360, Encoder: "x264enc",
		State: transcode.StateRunning, Reduced: "half the frame rate", PID: 7,
	})
	want := admin.Transcode{
		Rendition: "main", Makes: "low", Kind: "video", Codec: "h264", Height: 360, Encoder: "x264enc",
		State: "running", Reduced: "half the frame rate", PID: 7,
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
