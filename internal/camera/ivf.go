package camera

import (
	"encoding/binary"
	"errors"
	"fmt"

	"sluice/media"
)

const (
	ivfHeaderSize      = 32
	ivfFrameHeaderSize = 12
)

var ivfCodecs = map[string]media.Codec{"VP80": media.VP8, "VP90": media.VP9, "AV01": media.AV1}

// parseIVF reads the container of libvpx and libaom: a header, then each frame behind its size and PTS.
func parseIVF(data []byte) ([]Track, error) {
	if len(data) < ivfHeaderSize {
		return nil, errTruncated
	}
	codec, ok := ivfCodecs[string(data[8:12])]
	if !ok {
		return nil, fmt.Errorf("it is IVF with the codec %q; VP80, VP90 and AV01 can be served", data[8:12])
	}
	le := binary.LittleEndian
	t := Track{Track: media.Track{Kind: media.Video, Codec: codec, ClockRate: 90000}}
	t.Width, t.Height = int(le.Uint16(data[12:])), int(le.Uint16(data[14:]))
	clock := ivfClock{rate: int64(le.Uint32(data[16:])), scale: int64(le.Uint32(data[20:]))}
	head := int(le.Uint16(data[6:]))
	if head < ivfHeaderSize || head > len(data) || clock.rate == 0 || clock.scale == 0 {
		return nil, errTruncated
	}
	if err := t.readIVF(data[head:], clock); err != nil {
		return nil, err
	}
	return []Track{t}, nil
}

// ivfClock converts PTS of scale/rate seconds to ticks of 90 kHz.
type ivfClock struct{ rate, scale int64 }

// ticks is false for a time out of reason.
func (c ivfClock) ticks(pts uint64) (int64, bool) {
	seconds := float64(pts) * float64(c.scale) / float64(c.rate)
	if seconds > maxLength.Seconds() {
		return 0, false
	}
	return int64(seconds*90000 + 0.5), true
}

func (t *Track) readIVF(b []byte, clock ivfClock) error {
	last := int64(-1)
	for len(b) >= ivfFrameHeaderSize {
		size, pts := uint64(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint64(b[4:])
		if b = b[ivfFrameHeaderSize:]; size == 0 || size > uint64(len(b)) {
			return errTruncated
		}
		at, ok := clock.ticks(pts)
		if !ok || at <= last {
			return errors.New("its frames have times that can't be")
		}
		split := whole
		if t.Codec == media.AV1 {
			split = splitOBUs
		}
		unit, err := split(b[:size])
		if err != nil {
			return err
		}
		if len(unit) > 0 {
			t.Units = append(t.Units, Unit{DTS: at, PTS: at, Data: unit})
		}
		last, b = at, b[size:]
	}
	return t.endIVF()
}

// endIVF lets the last frame last as long as the average of all.
func (t *Track) endIVF() error {
	n := int64(len(t.Units))
	if n == 0 {
		return errTruncated
	}
	first, last := t.Units[0].PTS, t.Units[n-1].PTS
	frame := int64(90000 / assumedFPS)
	if n > 1 {
		frame = (last - first) / (n - 1)
	}
	t.Period = media.Duration(last+frame, 90000)
	return nil
}
