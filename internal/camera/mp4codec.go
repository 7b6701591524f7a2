package camera

import (
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/av1"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"sluice/media"
)

// Where the boxes of a sample entry begin (ISO/IEC 14496-12, 12.1.3 and 12.2.3).
const (
	visualEntrySize = 78
	audioEntrySize  = 28
)

// sampleCodec is how the samples of an MP4 track become units.
type sampleCodec struct {
	track media.Track
	split func(sample []byte) ([][]byte, error)
}

func whole(b []byte) ([][]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	return [][]byte{b}, nil
}

// sampleEntry reads the first entry of stsd; nil for a codec that the camera doesn't send.
func sampleEntry(stsd []byte) (*sampleCodec, error) {
	if len(stsd) < 8 {
		return nil, errTruncated
	}
	entries := boxes(stsd[8:])
	if len(entries) == 0 {
		return nil, errTruncated
	}
	kind, b := entries[0].kind, entries[0].body
	switch kind {
	case "mp4a", "Opus":
		return audioEntry(kind, b)
	case "avc1", "avc3", "hvc1", "hev1", "vp08", "vp09", "av01", "mp4v", "jpeg":
		return videoEntry(kind, b)
	}
	return nil, nil
}

func videoEntry(kind string, b []byte) (*sampleCodec, error) {
	if len(b) < visualEntrySize {
		return nil, errTruncated
	}
	c := &sampleCodec{track: media.Track{Kind: media.Video, ClockRate: 90000}, split: whole}
	c.track.Width, c.track.Height = int(binary.BigEndian.Uint16(b[24:])), int(binary.BigEndian.Uint16(b[26:]))
	b = b[visualEntrySize:]
	switch kind {
	case "avc1", "avc3":
		return c, c.setAVC(find(b, "avcC"))
	case "hvc1", "hev1":
		return c, c.setHEVC(find(b, "hvcC"))
	case "vp08":
		c.track.Codec = media.VP8
	case "vp09":
		c.track.Codec = media.VP9
	case "jpeg":
		c.track.Codec = media.MJPEG
	case "av01":
		c.track.Codec, c.split = media.AV1, splitOBUs
	case "mp4v":
		return c.setMPEG4(decoderConfig(find(b, "esds")))
	}
	return c, nil
}

func (c *sampleCodec) setMPEG4(object byte, config []byte) (*sampleCodec, error) {
	switch {
	case object == 0x20 && len(config) > 0: // ISO/IEC 14496-2
		c.track.Codec = media.MPEG4Video
		c.track.ParameterSets = [][]byte{config}
	case object == 0x6C: // JPEG
		c.track.Codec = media.MJPEG
	default:
		return nil, nil
	}
	return c, nil
}

func audioEntry(kind string, b []byte) (*sampleCodec, error) {
	if len(b) < audioEntrySize {
		return nil, errTruncated
	}
	extra := 0
	if binary.BigEndian.Uint16(b[8:]) == 1 { // QuickTime's longer entry
		extra = 16
	}
	if len(b) < audioEntrySize+extra {
		return nil, errTruncated
	}
	c := &sampleCodec{track: media.Track{Kind: media.Audio, Codec: media.Opus, ClockRate: 48000}, split: whole}
	b = b[audioEntrySize+extra:]
	if kind == "Opus" {
		dops := find(b, "dOps")
		if len(dops) < 2 {
			return nil, errTruncated
		}
		c.track.Channels = int(dops[1])
		return c, nil
	}
	object, config := decoderConfig(find(b, "esds"))
	var asc mpeg4audio.AudioSpecificConfig
	if object != 0x40 || asc.Unmarshal(config) != nil || asc.SampleRate <= 0 {
		return nil, nil
	}
	c.track.Codec, c.track.ParameterSets = media.AAC, [][]byte{config}
	c.track.ClockRate, c.track.Channels = asc.SampleRate, asc.ChannelCount
	return c, nil
}

// decoderConfig finds the object type and the DecoderSpecificInfo in an esds box (ISO/IEC 14496-1, 7.2.6).
func decoderConfig(esds []byte) (object byte, config []byte) {
	if len(esds) < 4 {
		return 0, nil
	}
	b := descriptor(esds[4:], 3)
	if len(b) < 3 {
		return 0, nil
	}
	if b = descriptor(b[3:], 4); len(b) < 13 {
		return 0, nil
	}
	return b[0], descriptor(b[13:], 5)
}

// descriptor returns the body of a descriptor that b starts with, nil if its tag is another.
func descriptor(b []byte, tag byte) []byte {
	if len(b) < 2 || b[0] != tag {
		return nil
	}
	size, i := 0, 1
	for more := true; more && i < min(len(b), 5); i++ {
		size = size<<7 | int(b[i]&0x7F)
		more = b[i]&0x80 != 0
	}
	return b[i:min(len(b), i+size)]
}

const obuTemporalDelimiter = 2 // AV1 specification, 6.2.2

// splitOBUs takes the size fields and the temporal delimiter off a temporal unit.
func splitOBUs(b []byte) ([][]byte, error) {
	var unit av1.Bitstream
	if len(b) == 0 || unit.Unmarshal(b) != nil {
		return nil, errTruncated
	}
	kept := unit[:0]
	for _, obu := range unit {
		if obu[0]>>3&0x0F != obuTemporalDelimiter {
			kept = append(kept, obu)
		}
	}
	return kept, nil
}
