package e2e

import (
	"testing"

	"sluice/internal/camera"
	"sluice/media"
)

// TestMulticast pulls cameras that send to a multicast group, in a network namespace.
//
// Proves E1 for multicast.
func TestMulticast(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	// GStreamer's camera binds the group's port for itself alone: it needs a host of its own.
	other := startAway(t, "gst-rtsp-server", python, gstProgram, "--video", "h264", "--protocols", "multicast", "--address", away)
	gst := other.await(t, serves, cameraLimit)
	ours := startCamera(t, camera.Options{
		Clip: clip(t, media.H264), Listen: foreign + ":0", Transports: []camera.Transport{camera.Multicast},
	})
	g := startGateway(t, `
streams.gst = { source = "`+gst+`", transport = "multicast" }
streams.ours = { source = "`+ours+`", transport = "multicast" }
`)
	for _, stream := range []string{"gst", "ours"} {
		g.awaitState(t, stream, "ready", cameraLimit)
		v := g.watch(t, stream)
		v.awaitFrames(t, 30)
		v.close()
		packets := v.snapshot(media.Video).packets
		checkPackets(t, media.Video, packets)
		if got := decodePictures(t, media.H264, pictures(t, media.H264, packets)); got < 30 {
			t.Errorf("stream %s: ffmpeg made %d pictures", stream, got)
		}
	}
}
