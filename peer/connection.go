package peer

import (
	"fmt"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/hub"
)

// reportInterval is how often sender reports are sent.
const reportInterval = time.Second

// Connection is one PeerConnection that sends tracks. Send belongs to one goroutine; the other methods may be called
// from any.
type Connection struct {
	link
	tracks map[string]*outgoing // by media.Track.ID; fixed after Play

	onKeyframe func() // fixed after Play

	counted Counters
	total   *Counters // fixed after Play; what all connections of a stream have counted

	reported time.Time // owned by the goroutine that calls Send
}

// Send packetises a unit and sends it, and once a second the sender reports. Units of tracks that were not
// negotiated are passed over. It must not be called before Connected is closed.
func (c *Connection) Send(u *hub.Unit) error {
	t, ok := c.tracks[u.Track.ID]
	if !ok || t.sender == nil {
		return nil
	}
	if err := t.sender.Send(u, t.write); err != nil {
		return fmt.Errorf("send %s: %w", u.Track.ID, err)
	}
	if now := time.Now(); now.Sub(c.reported) >= reportInterval {
		c.reported = now
		c.report(now)
	}
	return nil
}

// report sends the sender reports of all tracks with one reading of the clock (E48).
func (c *Connection) report(now time.Time) {
	reports := make([]rtcp.Packet, 0, len(c.tracks))
	for _, t := range c.tracks {
		if t.sender != nil && t.sender.Packets() > 0 {
			reports = append(reports, t.sender.Report(now))
		}
	}
	_ = c.pc.WriteRTCP(reports) // fails only once the connection is over, which Done tells
}

// Stats is what this connection has counted.
func (c *Connection) Stats() Stats { return c.counted.Stats() }

// readFeedback reads what a viewer says of one of its tracks until the connection is over.
func (c *Connection) readFeedback(s *webrtc.RTPSender) {
	defer c.readers.Done()
	buf := make([]byte, packetSize)
	for {
		n, _, err := s.Read(buf)
		if err != nil {
			return
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			c.onFeedback(p)
		}
	}
}

func (c *Connection) onFeedback(p rtcp.Packet) {
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		c.onKeyframe()
	case *rtcp.TransportLayerNack:
		for _, pair := range p.Nacks {
			n := uint64(len(pair.PacketList()))
			c.counted.resends.Add(n)
			c.total.resends.Add(n)
		}
	}
}

// write is how the sender of a track puts one packet on the wire.
func (t *outgoing) write(h *rtp.Header, payload []byte) error {
	_, err := t.stream.WriteRTP(h, payload)
	t.connection.counted.sent(len(payload))
	t.connection.total.sent(len(payload))
	return err
}

func (c *Connection) refuseResend() {
	c.counted.refused.Add(1)
	c.total.refused.Add(1)
}
