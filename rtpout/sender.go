package rtpout

import (
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"

	"sluice/hub"
	"sluice/media"
)

// sender is one viewer's RTP stream of one track: it numbers the packets of the units it is given without a gap,
// whatever was skipped between them (F26). It belongs to one goroutine.
type sender struct {
	ssrc        uint32
	payloadType uint8
	sequence    uint16 // of the next unit
	base        uint32 // RTP timestamp of PTS 0
	times       timeline

	picture  uint16 // ID of the next picture, where the codec has one
	pictures bool   // one was sent

	packets, octets uint32
}

// newSender makes the sender of a track of clock rate Hz. sequence and base are random (RFC 3550 5.1).
func newSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) sender {
	return sender{ssrc: ssrc, payloadType: payloadType, sequence: sequence, base: base, times: timeline{rate: rate}}
}

// open settles what the packets of a unit share. Timestamps rise and picture IDs count on (F32) where the units of
// another publisher, such as another layer, follow.
func (s *sender) open(u *hub.Unit, payloads []Payload) unit {
	opened := unit{
		place: u.Place(), timestamp: s.base + uint32(s.times.at(u, duration(u))),
		first: s.sequence, count: uint16(len(payloads)), picture: s.nextPicture(u),
	}
	s.sequence += opened.count
	return opened
}

// nextPicture begins with the ID that the unit was cut with.
func (s *sender) nextPicture(u *hub.Unit) uint16 {
	if !s.pictures {
		s.picture, s.pictures = pictureID(u.Count), true
	}
	id := s.picture
	s.picture = (id + 1) & maxPictureID
	return id
}

// sent counts a packet for the reports.
func (s *sender) sent(p *Payload) {
	s.packets++
	s.octets += uint32(len(p.Data))
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

// timestamp is the RTP time of an instant.
func (s *sender) timestamp(now time.Time) uint32 {
	return s.base + uint32(media.PTS(now, s.times.rate)+s.times.shift)
}

// wallClock is the NTP time of an instant by a clock without steps, whoever sets the wall clock.
func wallClock(now time.Time) uint64 { return ntpTime(media.Epoch().Add(now.Sub(media.Epoch()))) }

// ntpTime is seconds since 1900 in 32.32 fixed point (RFC 3550 4).
func ntpTime(t time.Time) uint64 {
	const unixEpoch = 2208988800
	return uint64(t.Unix()+unixEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
