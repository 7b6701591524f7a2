package rtpout

import (
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"
)

// A picture ID of 15 bits, of VP8 and VP9 alike.
const (
	maxPictureID  = 0x7FFF
	longPictureID = 0x8000 // M: it has 15 bits, not 7
)

// pictureID is that of the picture with a number in its track.
func pictureID(count uint64) uint16 { return uint16(count & maxPictureID) }

// cutVP8 puts the payload descriptor before each fragment (RFC 7741 4.2): a picture ID that counts the pictures of
// the track, and nothing of layers, since all are sent.
func cutVP8(frame []byte, count uint64) []Payload {
	const (
		extended         = 0x80
		startOfPartition = 0x10
		hasPictureID     = 0x80
		size             = 4
	)
	return cutFrame(frame, size, 2, func(dst []byte, first, _ bool) []byte {
		b := byte(extended)
		if first {
			b |= startOfPartition
		}
		return binary.BigEndian.AppendUint16(append(dst, b, hasPictureID), longPictureID|pictureID(count))
	})
}

// Bits of the first byte of the VP9 payload descriptor (RFC 9628 4.2).
const (
	vp9PictureID      = 0x80
	vp9InterPicture   = 0x40
	vp9Begin          = 0x08
	vp9End            = 0x04
	vp9Scalability    = 0x02
	vp9NotUpperLayers = 0x01
)

// cutVP9 puts a descriptor in non-flexible mode before each fragment: a 15-bit picture ID that counts the
// pictures of the track, and on keyframes the scalability structure of one layer with the picture's size.
func cutVP9(frame []byte, count uint64) []Payload {
	var h vp9.Header
	if err := h.Unmarshal(frame); err != nil {
		return nil
	}
	const structure = 8
	return cutFrame(frame, 3+structure, 1, func(dst []byte, first, last bool) []byte {
		b := byte(vp9PictureID | vp9NotUpperLayers)
		if h.NonKeyFrame {
			b |= vp9InterPicture
		}
		if first {
			b |= vp9Begin
		}
		if last {
			b |= vp9End
		}
		withStructure := first && !h.NonKeyFrame
		if withStructure {
			b |= vp9Scalability
		}
		dst = binary.BigEndian.AppendUint16(append(dst, b), longPictureID|pictureID(count))
		if withStructure {
			dst = appendVP9Structure(dst, h.Width(), h.Height())
		}
		return dst
	})
}

// appendVP9Structure appends a scalability structure of one spatial layer with its size, and one picture group of
// one picture that refers to the one before (RFC 9628 4.2.1).
func appendVP9Structure(dst []byte, width, height int) []byte {
	const sizeAndGroup = 0x10 | 0x08 // N_S 0, Y, G
	const upSwitchOneReference = 0x10 | 0x04
	return append(dst, sizeAndGroup,
		byte(width>>8), byte(width), byte(height>>8), byte(height),
		1, upSwitchOneReference, 1)
}

// cutFrame cuts a frame into fragments behind headers of at most headerSize bytes, with the picture ID at picture.
func cutFrame(frame []byte, headerSize, picture int, header func(dst []byte, first, last bool) []byte) []Payload {
	n := 1 + len(frame)/(MaxPayload-headerSize)
	out := make([]Payload, 0, n)
	arena := make([]byte, 0, len(frame)+n*headerSize)
	fragment(frame, MaxPayload-headerSize, func(part []byte, first, last bool) {
		at := len(arena)
		arena = append(header(arena, first, last), part...)
		out = append(out, Payload{Data: arena[at:len(arena):len(arena)], Picture: picture})
	})
	return markLast(out)
}
