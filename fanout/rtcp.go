package fanout

import (
	"encoding/binary"
	"errors"
	"math"
)

// What readFeedback reads of one datagram, at most: far more than an honest viewer sends.
const (
	maxCompound = 64  // packets
	maxEntries  = 256 // entries of NACK and FIR
)

// Packet types and formats (RFC 3550, section 12.1; RFC 4585, section 6.1; RFC 5104, section 4.3).
const (
	rtcpSenderReport   = 200
	rtcpReceiverReport = 201
	rtcpGoodbye        = 203
	rtcpTransport      = 205 // RTPFB
	rtcpPayload        = 206 // PSFB

	formatNACK = 1  // of RTPFB
	formatPLI  = 1  // of PSFB
	formatFIR  = 4  // of PSFB
	formatREMB = 15 // of PSFB: application layer feedback
)

// errMalformedRTCP is returned for packets whose lengths and counts contradict each other, or that want too much.
var errMalformedRTCP = errors.New("the RTCP packet is malformed")

// receptionReport is what a viewer says of one of our streams (RFC 3550, section 6.4.1).
type receptionReport struct {
	fraction uint8  // lost since the last report, of 256
	lost     int32  // in all, of 24 bits; negative: more came than was sent
	highest  uint32 // sequence number, extended by its cycles
	jitter   uint32 // in ticks of the track's clock
	lastSR   uint32 // the middle of the NTP time of the newest sender report; 0: none yet
	delay    uint32 // since that report, in 1/65536 s
}

// feedback is told what a viewer's RTCP says.
type feedback interface {
	nack(ssrc uint32, first, mask uint16) // one entry (RFC 4585, section 6.2.1): first, and first+1+i for bit i of mask
	keyframe(ssrc uint32)                 // PLI or FIR
	report(ssrc uint32, r receptionReport)
	remb(bitrate uint64) // never 0 (draft-alvestrand-rmcat-remb)
	bye()                // the sender of the packet leaves
}

// readFeedback reads one RTCP packet, compound or reduced-size, and tells what it says. Types that it doesn't know are
// passed over. It returns errMalformedRTCP at the first lie, after it has told what stood before.
func readFeedback(packet []byte, to feedback) error {
	r := rtcpReader{to: to}
	for n := 0; len(packet) > 0; n++ {
		if n == maxCompound {
			return errMalformedRTCP
		}
		rest, err := r.next(packet)
		if err != nil {
			return err
		}
		packet = rest
	}
	return nil
}

// rtcpReader reads the packets of one compound.
type rtcpReader struct {
	to      feedback
	sender  uint32 // who sent the first packet
	begun   bool
	entries int
}

// next reads the first packet (RFC 3550, section 6.4.1: its length is in words, less one) and returns the others.
func (r *rtcpReader) next(data []byte) ([]byte, error) {
	if len(data) < 4 || data[0]>>6 != 2 {
		return nil, errMalformedRTCP
	}
	size := 4 + 4*int(binary.BigEndian.Uint16(data[2:]))
	if size > len(data) {
		return nil, errMalformedRTCP
	}
	body, rest := data[4:size], data[size:]
	if data[0]&0x20 != 0 {
		unpadded, ok := withoutPadding(body)
		if !ok || len(rest) > 0 {
			return nil, errMalformedRTCP
		}
		body = unpadded
	}
	if !r.begun && len(body) >= 4 {
		r.sender = binary.BigEndian.Uint32(body)
	}
	r.begun = true
	return rest, r.read(data[1], int(data[0]&0x1F), body)
}

// withoutPadding cuts off what a packet's last byte counts; only the last packet of a compound has any.
func withoutPadding(body []byte) ([]byte, bool) {
	if len(body) == 0 {
		return nil, false
	}
	n := int(body[len(body)-1])
	if n == 0 || n%4 != 0 || n > len(body) {
		return nil, false
	}
	return body[:len(body)-n], true
}

// read tells of one packet; count is also the format of feedback.
func (r *rtcpReader) read(kind byte, count int, body []byte) error {
	switch kind {
	case rtcpSenderReport:
		return r.reports(body, 24, count)
	case rtcpReceiverReport:
		return r.reports(body, 4, count)
	case rtcpGoodbye:
		return r.goodbye(body, count)
	case rtcpTransport:
		if count == formatNACK {
			return r.nacks(body)
		}
	case rtcpPayload:
		return r.payload(body, count)
	}
	return nil
}

// reports reads the blocks that stand at an offset.
func (r *rtcpReader) reports(body []byte, at, count int) error {
	const block = 24
	if len(body) < at+count*block {
		return errMalformedRTCP
	}
	for b := body[at:]; count > 0; count, b = count-1, b[block:] {
		lost := binary.BigEndian.Uint32(b[4:])
		r.to.report(binary.BigEndian.Uint32(b), receptionReport{
			fraction: b[4],
			lost:     int32(lost<<8) >> 8,
			highest:  binary.BigEndian.Uint32(b[8:]),
			jitter:   binary.BigEndian.Uint32(b[12:]),
			lastSR:   binary.BigEndian.Uint32(b[16:]),
			delay:    binary.BigEndian.Uint32(b[20:]),
		})
	}
	return nil
}

// goodbye takes a BYE for what it is only from the sender of the compound: nobody speaks for others here.
func (r *rtcpReader) goodbye(body []byte, count int) error {
	if len(body) < 4*count {
		return errMalformedRTCP
	}
	for i := range count {
		if binary.BigEndian.Uint32(body[4*i:]) == r.sender {
			r.to.bye()
			return nil
		}
	}
	return nil
}

// nacks reads the entries behind the SSRCs of sender and media.
func (r *rtcpReader) nacks(body []byte) error {
	if len(body) < 12 {
		return errMalformedRTCP
	}
	media := binary.BigEndian.Uint32(body[4:])
	for e := body[8:]; len(e) > 0; e = e[4:] {
		if r.entries++; r.entries > maxEntries {
			return errMalformedRTCP
		}
		r.to.nack(media, binary.BigEndian.Uint16(e), binary.BigEndian.Uint16(e[2:]))
	}
	return nil
}

func (r *rtcpReader) payload(body []byte, format int) error {
	if format != formatPLI && format != formatFIR && format != formatREMB {
		return nil
	}
	if len(body) < 8 {
		return errMalformedRTCP
	}
	switch format {
	case formatPLI:
		r.to.keyframe(binary.BigEndian.Uint32(body[4:]))
		return nil
	case formatFIR:
		return r.requests(body[8:])
	default:
		return r.bandwidth(body[8:])
	}
}

// requests reads the entries of a FIR, each with an SSRC of its own.
func (r *rtcpReader) requests(entries []byte) error {
	if len(entries) == 0 || len(entries)%8 != 0 {
		return errMalformedRTCP
	}
	for e := entries; len(e) > 0; e = e[8:] {
		if r.entries++; r.entries > maxEntries {
			return errMalformedRTCP
		}
		r.to.keyframe(binary.BigEndian.Uint32(e))
	}
	return nil
}

// bandwidth reads a REMB: its name, a count of SSRCs, and a rate of 6 bits of exponent and 18 of mantissa. Other
// messages of the application layer are passed over; a rate beyond 64 bits is the largest.
func (r *rtcpReader) bandwidth(body []byte) error {
	if len(body) < 8 || string(body[:4]) != "REMB" {
		return nil
	}
	word := binary.BigEndian.Uint32(body[4:])
	if len(body) != 8+4*int(word>>24) {
		return errMalformedRTCP
	}
	exponent, mantissa := word>>18&0x3F, uint64(word&0x3FFFF)
	rate := mantissa << exponent
	if rate>>exponent != mantissa {
		rate = math.MaxUint64
	}
	if rate > 0 {
		r.to.remb(rate)
	}
	return nil
}
