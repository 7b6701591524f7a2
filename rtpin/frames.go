package rtpin

import (
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpav1"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtplpcm"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpsimpleaudio"
	"github.com/pion/rtp"

	"sluice/media"
)

// decoder makes frames of packets; of an error, unfinished and notStarted tell whether it is one.
type decoder interface {
	Decode(pkt *rtp.Packet) ([]byte, error)
}

// frames is the depacketizer of codecs whose unit is what a decoder of gortsplib returns.
type frames struct {
	sink    sink
	fresh   func() decoder
	decoder decoder
	av1     *rtpav1.Decoder // instead of decoder
	u       unit
	packets int
	size    int
}

func newFrames(t *media.Track, s sink) *frames {
	f := &frames{sink: s}
	switch t.Codec {
	case media.MJPEG:
		f.fresh = func() decoder { return &rtpmjpeg.Decoder{} }
	case media.MPEG4Video:
		f.fresh = func() decoder { return &rtpfragmented.Decoder{} }
	case media.LPCM:
		f.fresh = func() decoder { return newLPCM(t) }
	case media.AV1:
	default:
		f.fresh = func() decoder { return &rtpsimpleaudio.Decoder{} }
	}
	f.lost()
	return f
}

func newLPCM(t *media.Track) decoder {
	d := &rtplpcm.Decoder{BitDepth: t.BitDepth, ChannelCount: max(1, t.Channels)}
	if d.BitDepth < 8 {
		d.BitDepth = 16
	}
	if err := d.Init(); err != nil {
		panic(err) // Init of a decoder with both fields set can't fail
	}
	return d
}

func (f *frames) lost() {
	f.packets, f.size = 0, 0
	if f.fresh == nil {
		f.av1 = &rtpav1.Decoder{}
		return
	}
	f.decoder = f.fresh()
}

func (f *frames) push(pkt *rtp.Packet, arrived time.Time) {
	if f.packets == 0 || pkt.Timestamp != f.u.timestamp {
		f.u = unit{timestamp: pkt.Timestamp, first: arrived}
	}
	f.u.last = arrived
	f.packets++
	f.size += len(pkt.Payload)
	if f.packets > maxUnitPackets || f.size > maxUnit {
		f.lost()
		f.sink.broken()
		return
	}
	data, err := f.decode(pkt)
	switch {
	case notStarted(err):
		f.packets, f.size = 0, 0
	case unfinished(err):
	case err != nil:
		f.lost()
		f.sink.broken()
	default:
		f.packets, f.size = 0, 0
		u := f.u
		u.data = data
		f.sink.finished(u)
	}
}

func (f *frames) decode(pkt *rtp.Packet) ([][]byte, error) {
	if f.av1 != nil {
		return f.av1.Decode(pkt)
	}
	frame, err := f.decoder.Decode(pkt)
	return [][]byte{frame}, err
}

func unfinished(err error) bool {
	return errors.Is(err, rtpav1.ErrMorePacketsNeeded) || errors.Is(err, rtpmjpeg.ErrMorePacketsNeeded) ||
		errors.Is(err, rtpfragmented.ErrMorePacketsNeeded)
}

// notStarted tells that a packet is the rest of a frame that began before the first one seen.
func notStarted(err error) bool {
	return errors.Is(err, rtpav1.ErrNonStartingPacketAndNoPrevious) || errors.Is(err, rtpmjpeg.ErrNonStartingPacketAndNoPrevious)
}
