package rtpout

import (
	"time"

	"github.com/pion/rtp"

	"sluice/hub"
)

// Cut makes the packets of a unit, read back from what a Player writes.
func (s *Sender) Cut(u *hub.Unit) ([]*rtp.Packet, error) {
	payloads := Payloads(u)
	if len(payloads) == 0 {
		return nil, nil
	}
	t := &track{Sender: *s}
	opened := t.open(u, payloads)
	*s = t.Sender
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
