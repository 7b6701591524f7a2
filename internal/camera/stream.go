package camera

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtcp"

	"sluice/media"
)

// stream is the sink that all readers of the camera hear. Its own sender reports stand in for gortsplib's,
// which write nanoseconds where RFC 3550 wants a fraction of 2^32.
type stream struct {
	out   *gortsplib.ServerStream
	start time.Time // PTS 0 of all tracks

	sending func(media.Track, Sent) // may be nil
	tracks  []outgoing              // owned by the player
}

// outgoing is the RTP side of one track.
type outgoing struct {
	track     media.Track
	media     *description.Media
	rate      int
	packetize packetizer
	base      uint32 // RTP timestamp of PTS 0; random (RFC 3550, 5.1)

	ssrc, packets, octets uint32 // what sender reports tell
}

// newTracks returns the tracks with the SDP that describes them. Packets have at most size bytes.
func newTracks(clip *Clip, size int) ([]outgoing, *description.Session, error) {
	const rtpHeader = 12
	desc := &description.Session{Title: "Sluice camera"}
	var tracks []outgoing
	for i, t := range clip.Tracks {
		f, packetize, err := newPacketizer(t.Track, uint8(96+i), size-rtpHeader)
		if err != nil {
			return nil, nil, fmt.Errorf("track %s: %w", t.ID, err)
		}
		m := &description.Media{Type: mediaTypes[t.Kind], Formats: []format.Format{f}}
		desc.Medias = append(desc.Medias, m)
		tracks = append(tracks, outgoing{track: t.Track, media: m, rate: t.ClockRate, packetize: packetize, base: rand.Uint32()})
	}
	return tracks, desc, nil
}

var mediaTypes = map[media.Kind]description.MediaType{
	media.Video: description.MediaTypeVideo,
	media.Audio: description.MediaTypeAudio,
}

func (s *stream) send(track int, pts int64, data [][]byte) error {
	o := &s.tracks[track]
	packets, err := o.packetize(data)
	if err != nil {
		return fmt.Errorf("packetise a unit: %w", err)
	}
	if s.sending != nil {
		s.sending(o.track, Sent{Timestamp: uint32(pts), Bytes: size(data)})
	}
	ntp := s.start.Add(media.Duration(pts, o.rate))
	for _, p := range packets {
		p.Timestamp += o.base + uint32(pts)
		if err := s.out.WritePacketRTPWithNTP(o.media, p, ntp); err != nil {
			return fmt.Errorf("send a packet: %w", err)
		}
		o.ssrc = p.SSRC
		o.packets++
		o.octets += uint32(len(p.Payload))
	}
	return nil
}

func size(data [][]byte) int {
	n := 0
	for _, d := range data {
		n += len(d)
	}
	return n
}

func (s *stream) report(elapsed time.Duration) error {
	for i := range s.tracks {
		o := &s.tracks[i]
		if o.packets == 0 {
			continue
		}
		sr := &rtcp.SenderReport{
			SSRC: o.ssrc, PacketCount: o.packets, OctetCount: o.octets,
			NTPTime: ntpTime(s.start.Add(elapsed)),
			RTPTime: o.base + uint32(media.Ticks(elapsed, o.rate)),
		}
		if err := s.out.WritePacketRTCP(o.media, sr); err != nil {
			return fmt.Errorf("send a sender report: %w", err)
		}
	}
	return nil
}

// ntpTime is t as seconds since 1900 and, below, the fraction of a second in units of 2^-32 (RFC 3550, 4).
func ntpTime(t time.Time) uint64 {
	const from1900 = 2208988800
	return uint64(t.Unix()+from1900)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}
