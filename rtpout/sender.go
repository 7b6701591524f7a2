package rtpout

import (
	"encoding/binary"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
)

// Sender is one viewer's RTP stream of one track: it numbers the packets of the units it is given without a gap,
// whatever was skipped between them (F26). It belongs to one goroutine.
type Sender struct {
	header rtp.Header // of the next packet
	base   uint32     // RTP timestamp of PTS 0
	times  timeline

	picture  uint16 // ID of the next picture, where the codec has one
	pictures bool   // one was sent
	scratch  []byte // a payload with this viewer's picture ID

	packets, octets uint32
}

// NewSender makes the sender of a track of clock rate Hz. sequence and base are random (RFC 3550 5.1).
func NewSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) *Sender {
	return &Sender{
		header: rtp.Header{Version: 2, PayloadType: payloadType, SSRC: ssrc, SequenceNumber: sequence},
		base:   base,
		times:  timeline{rate: rate},
	}
}

// Send writes the packets of a unit. Timestamps rise and picture IDs count on (F32) where the units of another
// publisher, such as another layer, follow. write must not keep the header or the payload. The first error ends it.
func (s *Sender) Send(u *hub.Unit, write func(*rtp.Header, []byte) error) error {
	payloads := Payloads(u)
	if len(payloads) == 0 {
		return nil
	}
	timestamp := s.base + uint32(s.times.at(u, duration(u)))
	id := s.nextPicture(u)
	for i := range payloads {
		p := &payloads[i]
		s.header.Timestamp = timestamp + p.Offset
		s.header.Marker = p.Marker
		err := write(&s.header, s.data(p, id))
		s.header.SequenceNumber++
		s.packets++
		s.octets += uint32(len(p.Data))
		if err != nil {
			return err
		}
	}
	return nil
}

// nextPicture begins with the ID that the unit was cut with, so that payloads need no change until one is skipped.
func (s *Sender) nextPicture(u *hub.Unit) uint16 {
	if !s.pictures {
		s.picture, s.pictures = pictureID(u.Count), true
	}
	id := s.picture
	s.picture = (id + 1) & maxPictureID
	return id
}

// data is a payload with this viewer's picture ID in it.
func (s *Sender) data(p *Payload, id uint16) []byte {
	at := p.Picture
	if at == 0 || binary.BigEndian.Uint16(p.Data[at:])&maxPictureID == id {
		return p.Data
	}
	s.scratch = append(s.scratch[:0], p.Data...)
	binary.BigEndian.PutUint16(s.scratch[at:], id|longPictureID)
	return s.scratch
}

// duration is how long a unit of sound lasts, in ticks; 0 if it is not sound or does not tell.
func duration(u *hub.Unit) int64 {
	switch u.Track.Codec {
	case media.Opus:
		return opus.PacketDuration2(frame(u.AccessUnit))
	case media.PCMU, media.PCMA, media.G722:
		return int64(len(frame(u.AccessUnit)))
	default:
		return 0
	}
}

// Packets is the number of packets sent, modulo 2^32.
func (s *Sender) Packets() uint32 { return s.packets }

// Report is the sender report of this moment (RFC 3550 6.4.1). Its two clocks are the gateway's, the same for all
// tracks of a viewer, so that sound and picture stay together (E48).
func (s *Sender) Report(now time.Time) *rtcp.SenderReport {
	return &rtcp.SenderReport{
		SSRC:        s.header.SSRC,
		NTPTime:     ntpTime(media.Epoch().Add(now.Sub(media.Epoch()))), // no steps when the wall clock is set
		RTPTime:     s.base + uint32(media.PTS(now, s.times.rate)+s.times.shift),
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// ntpTime is seconds since 1900 in 32.32 fixed point (RFC 3550 4).
func ntpTime(t time.Time) uint64 {
	const unixEpoch = 2208988800
	return uint64(t.Unix()+unixEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
