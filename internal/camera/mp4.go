package camera

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"sluice/media"
)

var errTruncated = errors.New("it is damaged or cut short")

// box is one box of an MP4 file (ISO/IEC 14496-12, 4.2).
type box struct {
	kind string
	body []byte
}

// boxes splits a run of boxes. The last may lack bytes: a file whose end is missing has its index all the same.
func boxes(b []byte) []box {
	var list []box
	for len(b) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(b)), uint64(8)
		switch {
		case size == 0:
			size = uint64(len(b))
		case size == 1 && len(b) >= 16:
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < head {
			return list
		}
		end := min(size, uint64(len(b)))
		list = append(list, box{string(b[4:8]), b[head:end]})
		b = b[end:]
	}
	return list
}

// find returns the body of the first box at the end of a path of kinds, nil if there is none.
func find(b []byte, path ...string) []byte {
	for _, kind := range path {
		var body []byte
		for _, c := range boxes(b) {
			if c.kind == kind {
				body = c.body
				break
			}
		}
		b = body
	}
	return b
}

// full splits a full box's version from the fields behind its flags.
func full(b []byte) (version byte, fields []byte, err error) {
	if len(b) < 4 {
		return 0, nil, errTruncated
	}
	return b[0], b[4:], nil
}

func parseMP4(data []byte) ([]Track, error) {
	moov := find(data, "moov")
	if moov == nil {
		return nil, errTruncated
	}
	if find(moov, "mvex") != nil {
		return nil, errors.New("it is a fragmented MP4; `ffmpeg -i IN -c copy OUT.mp4` makes a plain one of it")
	}
	scale, err := movieTimescale(find(moov, "mvhd"))
	if err != nil {
		return nil, err
	}
	var tracks []Track
	for _, b := range boxes(moov) {
		if b.kind != "trak" {
			continue
		}
		t, err := parseTrak(data, b.body, scale)
		if err != nil {
			return nil, err
		}
		if t != nil {
			tracks = append(tracks, *t)
		}
	}
	return tracks, nil
}

func movieTimescale(mvhd []byte) (uint32, error) {
	version, b, err := full(mvhd)
	if err != nil {
		return 0, err
	}
	at := 8
	if version == 1 {
		at = 16
	}
	if len(b) < at+4 || binary.BigEndian.Uint32(b[at:]) == 0 {
		return 0, errTruncated
	}
	return binary.BigEndian.Uint32(b[at:]), nil
}

// parseTrak returns nil for a track that the camera doesn't send, such as subtitles or timecode.
func parseTrak(file, trak []byte, movieScale uint32) (*Track, error) {
	stbl := find(trak, "mdia", "minf", "stbl")
	c, err := sampleEntry(find(stbl, "stsd"))
	if c == nil || err != nil {
		return nil, err
	}
	scale, err := movieTimescale(find(trak, "mdia", "mdhd")) // the same layout
	if err != nil {
		return nil, err
	}
	samples, err := readSamples(file, stbl)
	if err != nil || len(samples) == 0 {
		return nil, err
	}
	e, err := readEdit(find(trak, "edts", "elst"), movieScale, scale)
	if err != nil {
		return nil, err
	}
	return buildTrack(c, samples, e, int64(scale))
}

// buildTrack puts samples, whose times count in scale, on the clock of the track.
func buildTrack(c *sampleCodec, samples []sample, e edit, scale int64) (*Track, error) {
	last := samples[len(samples)-1]
	if limit := int64(maxLength.Seconds()) * scale; last.dts > limit || e.delay > limit || e.start > limit {
		return nil, fmt.Errorf("it is longer than %v", maxLength)
	}
	rate := int64(c.track.ClockRate)
	ticks := func(v int64) int64 { return int64(math.Floor(float64(v)*float64(rate)/float64(scale) + 0.5)) }
	t := &Track{Track: c.track}
	for _, s := range samples {
		if s.dts+s.duration <= e.start && t.Kind == media.Audio {
			continue // only there to prime the decoder
		}
		data, err := c.split(s.data)
		if err != nil {
			return nil, err
		}
		if len(data) > 0 {
			t.Units = append(t.Units, Unit{DTS: ticks(s.dts + e.delay - e.start), PTS: ticks(s.dts + s.offset + e.delay - e.start), Data: data})
		}
	}
	// A last frame that is marked as shorter is whole when it is sent.
	length := max(last.duration, samples[max(0, len(samples)-2)].duration)
	t.Period = media.Duration(ticks(last.dts+length+e.delay-e.start), int(rate))
	if len(t.Units) == 0 {
		return nil, nil
	}
	return t, nil
}
