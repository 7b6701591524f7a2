//go:build linux

package load

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
)

const minRTP = 12 // bytes of a header without extensions (RFC 3550, section 5.1)

// receive takes one datagram, by its first byte (RFC 7983). at is when it came to the socket in nanoseconds of Unix
// time, 0 unless arrivals are stamped. Who calls holds mu.
func (v *Viewer) receive(data []byte, at int64) {
	if len(data) < minRTP {
		return
	}
	switch first := data[0]; {
	case first < 4:
		v.receiveSTUN(data)
	case first >= 20 && first < 64:
		v.pipe.receive(data)
	case first < 128 || first > 191:
	case data[1] >= 192 && data[1] < 224: // RFC 5761, section 4
		v.receiveRTCP(data)
	default:
		v.receiveRTP(data, at)
	}
}

func (v *Viewer) receiveRTP(data []byte, at int64) {
	v.count.Packets++
	v.count.Bytes += uint64(len(data))
	v.stream(binary.BigEndian.Uint32(data[8:])).add(binary.BigEndian.Uint16(data[2:]))
	if data[1]&0x7f != videoPayload {
		return
	}
	if v.pictures != nil && at != 0 {
		v.pictures.add(binary.BigEndian.Uint32(data[4:]), data[1]&0x80 != 0, len(data), at)
	}
	if !v.keyframe.done {
		v.keyframe.add(v.keys, data, time.Now())
	}
}

func (v *Viewer) stream(ssrc uint32) *stream {
	for i := range v.streams {
		if v.streams[i].ssrc == ssrc {
			return &v.streams[i]
		}
	}
	v.streams = append(v.streams, stream{ssrc: ssrc})
	return &v.streams[len(v.streams)-1]
}

// stream is what came of one SSRC.
type stream struct {
	ssrc        uint32
	first, last uint32 // sequence numbers with their rounds
	received    uint64

	heard       uint32 // the middle of the last sender report's time
	heardAt     time.Time
	toldMissing uint64
	toldLast    uint32
}

func (s *stream) add(seq uint16) {
	if s.received == 0 {
		s.first, s.last = uint32(seq)+1<<16, uint32(seq)+1<<16
	}
	s.received++
	if ahead := int16(seq - uint16(s.last)); ahead > 0 {
		s.last += uint32(ahead)
	}
}

// missing is what did not come so far.
func (s *stream) missing() uint64 {
	if s.received == 0 {
		return 0
	}
	return max(uint64(s.last-s.first)+1, s.received) - s.received
}

// receiveRTCP reads sender reports, for the receiver reports that refer to them.
func (v *Viewer) receiveRTCP(data []byte) {
	v.count.Reports++
	if v.keys == nil {
		return
	}
	plain, err := v.keys.in.DecryptRTCP(nil, data, nil)
	if err != nil {
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		return
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			s := v.stream(sr.SSRC)
			s.heard, s.heardAt = uint32(sr.NTPTime>>16), time.Now()
		}
	}
}

// report sends one receiver report on all streams, and the name of the one who sends it (RFC 3550, section 6.4.2).
func (v *Viewer) report(now time.Time) {
	rr := &rtcp.ReceiverReport{SSRC: v.ssrc}
	for i := range v.streams {
		if v.streams[i].received > 0 {
			rr.Reports = append(rr.Reports, v.streams[i].report(now))
		}
	}
	name := rtcp.SourceDescriptionItem{Type: rtcp.SDESCNAME, Text: v.ufrag}
	sdes := &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: v.ssrc, Items: []rtcp.SourceDescriptionItem{name}}}}
	plain, err := rtcp.Marshal([]rtcp.Packet{rr, sdes})
	if err != nil {
		return
	}
	if sealed, err := v.keys.out.EncryptRTCP(nil, plain, nil); err == nil {
		v.write(sealed)
	}
}

func (s *stream) report(now time.Time) rtcp.ReceptionReport {
	r := rtcp.ReceptionReport{
		SSRC: s.ssrc, LastSequenceNumber: s.last - 1<<16, TotalLost: uint32(min(s.missing(), 1<<23-1)),
	}
	if lost, expected := s.missing()-min(s.missing(), s.toldMissing), s.last-s.toldLast; expected > 0 && s.toldLast > 0 {
		r.FractionLost = uint8(min(lost*256/uint64(expected), 255))
	}
	s.toldMissing, s.toldLast = s.missing(), s.last
	if !s.heardAt.IsZero() {
		r.LastSenderReport = s.heard
		r.Delay = uint32(now.Sub(s.heardAt) * 65536 / time.Second)
	}
	return r
}
