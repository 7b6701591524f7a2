package rtpout

import (
	"time"

	"github.com/pion/rtp"

	"sluice/hub"
)

// Sender is a sender beside a player.
type Sender struct{ sender }

// NewSender makes one.
func NewSender(ssrc uint32, payloadType uint8, rate int, sequence uint16, base uint32) *Sender {
	return &Sender{newSender(ssrc, payloadType, rate, sequence, base)}
}

// Cut makes the packets of a unit, read back from what a Player writes.
func (s *Sender) Cut(u *hub.Unit) ([]*rtp.Packet, error) {
	payloads := Payloads(u)
	if len(payloads) == 0 {
		return nil, nil
	}
	t := &track{sender: s.sender}
	opened := t.open(u, payloads)
	s.sender = t.sender
	var all []*rtp.Packet
	for i := range payloads {
		b := make([]byte, MaxPacket)
		n := t.packet(b, &opened, &payloads[i], opened.first+uint16(i))
		p := &rtp.Packet{}
		if err := p.Unmarshal(b[:n]); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Timestamp is the RTP time of an instant, as reports tell it.
func (s *Sender) Timestamp(now time.Time) uint32 { return s.timestamp(now) }
