package wire

import (
	"bytes"

	"sluice/media"
)

// startCode is put before each NAL unit (H.264 B.1.1, H.265 B.2.2). Nobody changes it.
var startCode = []byte{0, 0, 0, 1}

// Join makes the parts of a frame's payload of AccessUnit.Data, without copying it: H264 and H265 get start codes, AV1
// a temporal delimiter and size fields (AV1 5.2, 7.5), all others stay as they are. The result shares data's memory.
func Join(codec media.Codec, data [][]byte) [][]byte {
	switch codec {
	case media.H264, media.H265:
		parts := make([][]byte, 0, 2*len(data))
		for _, nalu := range data {
			parts = append(parts, startCode, nalu)
		}
		return parts
	case media.AV1:
		return joinOBUs(data)
	}
	return data
}

// Split is the inverse of Join: AccessUnit.Data of a frame's payload. What is not well-formed is left out, so the
// result may be empty. It may share payload's memory, and does not change it.
func Split(codec media.Codec, payload []byte) [][]byte {
	switch codec {
	case media.H264, media.H265:
		return splitNALUs(payload)
	case media.AV1:
		return splitOBUs(payload)
	}
	if len(payload) == 0 {
		return nil
	}
	return [][]byte{payload}
}

// splitNALUs cuts a byte stream at its start codes of three bytes; zeros before one belong to no NAL unit.
func splitNALUs(b []byte) [][]byte {
	short := startCode[1:]
	at := bytes.Index(b, short)
	var nalus [][]byte
	for at >= 0 {
		b = b[at+len(short):]
		end := len(b)
		if at = bytes.Index(b, short); at >= 0 {
			end = at
		}
		for end > 0 && b[end-1] == 0 {
			end--
		}
		if end > 0 {
			nalus = append(nalus, b[:end:end])
		}
	}
	return nalus
}
