package peer

import (
	"strings"

	"github.com/pion/webrtc/v4"

	"sluice/media"
)

// pulledTrack is a track as a server's answer to our offer describes it.
func pulledTrack(kind media.Kind, c webrtc.RTPCodecParameters) (media.Track, bool) {
	for codec, mime := range mimeTypes {
		if strings.EqualFold(mime, c.MimeType) && strings.HasPrefix(mime, string(kind)+"/") {
			return media.Track{
				ID: string(kind), Kind: kind, Codec: codec, ClockRate: int(c.ClockRate), Channels: channels(kind, c),
			}, true
		}
	}
	return media.Track{}, false
}

func channels(kind media.Kind, c webrtc.RTPCodecParameters) int {
	if kind == media.Video {
		return 0
	}
	return max(1, int(c.Channels))
}
