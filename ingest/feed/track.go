package feed

import (
	"fmt"

	"sluice/bitstream"
	"sluice/media"
	"sluice/worker/wire"
)

// track is one output of a worker.
type track struct {
	units     *bitstream.Conformer
	known     media.Track // as the publisher knows it
	published bool
}

func newTrack(c wire.Caps, id string) *track {
	t := describe(c, id)
	return &track{units: bitstream.NewConformer(t), known: t}
}

// What caps may say. Others are of a worker that is broken or was taken over: what comes after us reckons with them.
const (
	maxSide      = 1 << 16 // pixels
	maxClockRate = 1 << 20 // Hz
	maxChannels  = 64
)

// check returns an error for caps that can't be.
func check(c wire.Caps) error {
	for _, n := range []struct {
		what        string
		value, most int
	}{{"width", c.Width, maxSide}, {"height", c.Height, maxSide}, {"clock rate", c.ClockRate, maxClockRate}, {"number of channels", c.Channels, maxChannels}} {
		if n.value < 0 || n.value > n.most {
			return fmt.Errorf("the worker tells of a track whose %s is %d", n.what, n.value)
		}
	}
	return nil
}

// describe is what caps say of a track.
func describe(c wire.Caps, id string) media.Track {
	t := media.Track{
		ID: id, Kind: c.Kind, Codec: c.Codec, ClockRate: clockRate(c), Channels: c.Channels, Width: c.Width, Height: c.Height,
	}
	switch c.Codec {
	case media.AAC, media.MPEG4Video:
		if len(c.CodecData) > 0 {
			t.ParameterSets = [][]byte{c.CodecData}
		}
	case media.LPCM:
		t.BitDepth = 16
	}
	return t
}

// clockRate is that of RTP, which for some codecs is not the sampling rate (RFC 3551 4.5.2, RFC 7587 4.1).
func clockRate(c wire.Caps) int {
	switch {
	case c.Kind == media.Video:
		return 90000
	case c.Codec == media.Opus:
		return 48000
	case c.Codec == media.G722, c.ClockRate == 0:
		return 8000
	}
	return c.ClockRate
}

// trackID is "video" for the first track of a kind, "video2" for the next.
func trackID(kind media.Kind, n int) string {
	if n == 0 {
		return string(kind)
	}
	return fmt.Sprintf("%s%d", kind, n+1)
}
