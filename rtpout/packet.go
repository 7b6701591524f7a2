package rtpout

import (
	"encoding/binary"

	"sluice/hub"
)

const (
	headerSize    = 12 // RFC 3550 5.1
	extensionSize = 8  // one header extension of three bytes (RFC 8285 4.2)
	osnSize       = 2  // original sequence number (RFC 4588 4)
	tagSize       = 16 // what SRTP adds, at most (RFC 7714 5)
)

// MaxPacket is the most bytes of a packet that a Player writes, but for a frame of sound that is larger than
// MaxPayload: header, extension, payload and what a resend adds. With a tag of SRTP it is a datagram of at most 1228
// bytes (F20).
const MaxPacket = headerSize + extensionSize + osnSize + MaxPayload

const (
	rtpVersion   = 0x80
	hasExtension = 0x10
	markerBit    = 0x80
)

// unit is what the packets of a unit share, and what it takes to make them again.
type unit struct {
	place     hub.Place
	sent      uint32 // ms since the Epoch
	timestamp uint32
	first     uint16 // sequence number
	count     uint16 // packets
	picture   uint16 // ID, where the codec has one
	delay     delay
}

// header writes the header of a packet of the unit, with the playout-delay extension where the unit has one.
func (t *track) header(dst []byte, u *unit, p *Payload, sequence uint16) int {
	dst = dst[:headerSize+extensionSize]
	dst[0], dst[1] = rtpVersion, t.payloadType
	if p.Marker {
		dst[1] |= markerBit
	}
	binary.BigEndian.PutUint16(dst[2:], sequence)
	binary.BigEndian.PutUint32(dst[4:], u.timestamp+p.Offset)
	binary.BigEndian.PutUint32(dst[8:], t.ssrc)
	if u.delay == delayUnsaid {
		return headerSize
	}
	dst[0] |= hasExtension
	binary.BigEndian.PutUint64(dst[headerSize:], t.delays[u.delay])
	return headerSize + extensionSize
}

// payload writes a payload with this viewer's picture ID in it.
func (u *unit) payload(dst []byte, p *Payload) int {
	n := copy(dst, p.Data)
	if p.Picture != 0 {
		binary.BigEndian.PutUint16(dst[p.Picture:], u.picture|longPictureID)
	}
	return n
}

// packet writes a packet of the unit.
func (t *track) packet(dst []byte, u *unit, p *Payload, sequence uint16) int {
	n := t.header(dst, u, p, sequence)
	return n + u.payload(dst[n:], p)
}

// resend writes a packet of the unit again: under the SSRC of resends (RFC 4588 4), or without one byte by byte as it
// was, so that the same nonce never encrypts two texts.
func (t *track) resend(dst []byte, u *unit, p *Payload, sequence uint16) int {
	n := t.header(dst, u, p, sequence)
	if t.out.RTXSSRC != 0 {
		dst[1] = dst[1]&markerBit | t.out.RTX
		binary.BigEndian.PutUint16(dst[2:], t.rtxSequence)
		binary.BigEndian.PutUint32(dst[8:], t.out.RTXSSRC)
		binary.BigEndian.PutUint16(dst[n:], sequence)
		t.rtxSequence++
		n += osnSize
	}
	return n + u.payload(dst[n:], p)
}
