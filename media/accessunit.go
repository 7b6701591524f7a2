package media

import "time"

// AccessUnit is one coded picture or one audio frame. Units of a track come in decode order. Whoever
// makes one may change it until it is written to the hub; from then on it is read-only for ever.
type AccessUnit struct {
	// PTS is when the unit is to be shown, in ticks of the track's clock since Epoch.
	PTS int64
	// NTP is the sender's wall clock for the same moment; zero if it told none.
	NTP time.Time
	// Arrived is when its last byte reached the gateway.
	Arrived time.Time
	// Keyframe tells that decoding can start here. Always true for audio.
	Keyframe bool
	// Data is the unit's parts: NAL units without start codes (H264, H265), OBUs with no temporal
	// delimiter and no size field (AV1), or one frame (all others).
	Data [][]byte
}

// Size is the number of bytes in Data.
func (au *AccessUnit) Size() int {
	n := 0
	for _, d := range au.Data {
		n += len(d)
	}
	return n
}
