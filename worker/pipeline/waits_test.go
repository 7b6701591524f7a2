package pipeline

import (
	"testing"

	"sluice/media"
)

func TestWaits(t *testing.T) {
	for text, want := range map[string]bool{
		"srtsrc uri=srt://:9000?mode=listener latency=200 ! tsdemux":             true,
		`srtsrc uri="srt://0.0.0.0:9000?latency=200&mode=listener" ! tsdemux`:    true,
		"srtsrc uri=srt://:9000 ! tsdemux":                                       true,
		"srtsrc localport=9000 mode=listener ! tsdemux":                          true,
		"udpsrc port=5000 caps=application/x-rtp ! rtph264depay":                 true,
		"tcpserversrc host=127.0.0.1 port=5000 ! tsdemux":                        true,
		"srtsrc uri=srt://camera:9000 ! tsdemux":                                 false,
		"srtsrc uri=srt://:9000?mode=caller ! tsdemux":                           false,
		"videotestsrc ! srtsink uri=srt://:9000?mode=listener":                   false,
		"rtspsrc location=rtsp://camera/ ! rtph264depay":                         false,
		"videotestsrc ! textoverlay text=udpsrc":                                 false,
		"videotestsrc ! textoverlay text=' udpsrc ' ! video/x-raw,mode=listener": false,
	} {
		if got := waits(text); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	for text, want := range map[string]bool{
		"mpegtsmux ! srtsink uri=srt://:9000?mode=listener": true,
		"mpegtsmux ! srtsink uri=srt://server:9000":         false,
		"h264parse ! flvmux ! rtmp2sink location=x":         false,
	} {
		j, err := Sink(text, []media.Track{picture(media.H264)}, []string{"srtsink", "rtmp2sink"})
		if err != nil || j.Waits != want {
			t.Errorf("%s: %t, %v", text, j.Waits, err)
		}
	}
}
