package rtpout

import "github.com/bluenviron/mediacommon/v2/pkg/codecs/vp9"

// cutVP8 puts the one-byte payload descriptor before each fragment (RFC 7741 4.2): no picture ID, since there is
// one temporal layer and the sequence numbers tell all.
func cutVP8(frame []byte) []Payload {
	const startOfPartition = 0x10
	return cutFrame(frame, 1, func(dst []byte, first, _ bool) []byte {
		if first {
			return append(dst, startOfPartition)
		}
		return append(dst, 0)
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
	return cutFrame(frame, 3+structure, func(dst []byte, first, last bool) []byte {
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
		dst = append(dst, b, 0x80|byte(count>>8&0x7F), byte(count))
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

// cutFrame cuts a frame into fragments behind headers of at most headerSize bytes.
func cutFrame(frame []byte, headerSize int, header func(dst []byte, first, last bool) []byte) []Payload {
	n := 1 + len(frame)/(MaxPayload-headerSize)
	out := make([]Payload, 0, n)
	arena := make([]byte, 0, len(frame)+n*headerSize)
	fragment(frame, MaxPayload-headerSize, func(part []byte, first, last bool) {
		at := len(arena)
		arena = append(header(arena, first, last), part...)
		out = append(out, Payload{Data: arena[at:len(arena):len(arena)]})
	})
	return markLast(out)
}
