package camera

import (
	"bytes"
	"errors"
	"math"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"sluice/media"
)

const assumedFPS = 25 // of elementary video whose SPS doesn't tell

var (
	errNoParameterSets = errors.New("it has no SPS and PPS that can be read, so it isn't the video that its name says")
	errReordered       = errors.New("it has B-frames, whose times elementary video doesn't tell; put it in an MP4")
)

// parseAnnexB reads elementary H264 or H265 video (ITU-T H.264 and H.265, annex B).
func parseAnnexB(codec media.Codec, data []byte) ([]Track, error) {
	nalus := splitAnnexB(data)
	t := Track{Track: media.Track{Kind: media.Video, Codec: codec, ClockRate: 90000}}
	t.ParameterSets = firstParameterSets(codec, nalus)
	fps, err := describeSPS(&t.Track)
	if err != nil {
		return nil, err
	}
	for i, au := range groupNALUs(codec, nalus) {
		at := int64(math.Round(float64(i) * 90000 / fps))
		t.Units = append(t.Units, Unit{DTS: at, PTS: at, Data: withParameterSets(codec, t.ParameterSets, au)})
	}
	t.Period = media.Duration(int64(math.Round(float64(len(t.Units))*90000/fps)), 90000)
	if t.Period > maxLength || len(t.Units) == 0 {
		return nil, errNoParameterSets
	}
	return []Track{t}, nil
}

// splitAnnexB cuts data at its start codes. What stands before the first is not a NAL unit.
func splitAnnexB(data []byte) [][]byte {
	startCode := []byte{0, 0, 1}
	var nalus [][]byte
	at := bytes.Index(data, startCode)
	for at >= 0 {
		data = data[at+3:]
		nalu := data
		if at = bytes.Index(data, startCode); at >= 0 {
			nalu = data[:at]
		}
		if nalu = bytes.TrimRight(nalu, "\x00"); len(nalu) > 0 {
			nalus = append(nalus, nalu)
		}
	}
	return nalus
}

// groupNALUs puts the NAL units of each picture together (ITU-T H.264 7.4.1.2.3, H.265 7.4.2.4.4). What
// stands behind the last picture without being part of one is dropped.
func groupNALUs(codec media.Codec, nalus [][]byte) [][][]byte {
	boundary := boundaryH264
	if codec == media.H265 {
		boundary = boundaryH265
	}
	var units [][][]byte
	start, picture := 0, false
	for i, n := range nalus {
		vcl, first := boundary(n)
		if picture && first {
			units = append(units, nalus[start:i:i])
			start, picture = i, false
		}
		picture = picture || vcl
	}
	if picture {
		units = append(units, nalus[start:])
	}
	return units
}

// boundaryH264 tells whether a NAL unit is part of a picture, and whether it begins an access unit if one
// has its picture already.
func boundaryH264(n []byte) (vcl, first bool) {
	switch t := typeH264(n); {
	case t >= 1 && t <= 5:
		return true, t != 3 && t != 4 && len(n) > 1 && n[1]&0x80 != 0 // first_mb_in_slice is 0
	case t >= 6 && t <= 9, t >= 14 && t <= 18:
		return false, true
	}
	return false, false
}

func boundaryH265(n []byte) (vcl, first bool) {
	switch t := typeH265(n); {
	case t < 32:
		return true, len(n) > 2 && n[2]&0x80 != 0 // first_slice_segment_in_pic_flag
	case t >= 32 && t <= 35, t == 39, t >= 41 && t <= 44, t >= 48 && t <= 55:
		return false, true
	}
	return false, false
}

// firstParameterSets is the first VPS (H265), SPS and PPS, in this order; nil when one is missing.
func firstParameterSets(codec media.Codec, nalus [][]byte) [][]byte {
	types := []int{int(h264.NALUTypeSPS), int(h264.NALUTypePPS)}
	kind := func(n []byte) int { return int(typeH264(n)) }
	if codec == media.H265 {
		types = []int{int(h265.NALUType_VPS_NUT), int(h265.NALUType_SPS_NUT), int(h265.NALUType_PPS_NUT)}
		kind = func(n []byte) int { return int(typeH265(n)) }
	}
	sets := make([][]byte, len(types))
	for _, n := range nalus {
		for i, t := range types {
			if sets[i] == nil && kind(n) == t {
				sets[i] = n
			}
		}
	}
	for _, s := range sets {
		if s == nil {
			return nil
		}
	}
	return sets
}

// describeSPS sets the picture's size and returns its frame rate.
func describeSPS(t *media.Track) (fps float64, err error) {
	if t.ParameterSets == nil {
		return 0, errNoParameterSets
	}
	reorder := uint32(0)
	if t.Codec == media.H264 {
		var sps h264.SPS
		if sps.Unmarshal(t.ParameterSets[0]) != nil {
			return 0, errNoParameterSets
		}
		t.Width, t.Height, fps = sps.Width(), sps.Height(), sps.FPS()
		if sps.VUI != nil && sps.VUI.BitstreamRestriction != nil {
			reorder = sps.VUI.BitstreamRestriction.MaxNumReorderFrames
		}
	} else {
		var sps h265.SPS
		if sps.Unmarshal(t.ParameterSets[1]) != nil {
			return 0, errNoParameterSets
		}
		t.Width, t.Height, fps = sps.Width(), sps.Height(), sps.FPS()
		for _, n := range sps.MaxNumReorderPics {
			reorder = max(reorder, n)
		}
	}
	if reorder > 0 {
		return 0, errReordered
	}
	if !(fps >= 1 && fps <= 240) { // also what isn't a number
		fps = assumedFPS
	}
	return fps, nil
}
