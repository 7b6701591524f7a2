package peer

import (
	"time"

	"github.com/pion/rtcp"

	"sluice/rtpout"
)

// playback is the goroutine of a connection that sends. All its fields belong to it.
type playback struct {
	connection *Connection
	player     *rtpout.Player
	due        *time.Timer
	packet     [packetSize]byte // large frames of sound are not cut
}

// play sends what the player has until the connection, or the feed, is over.
func (c *Connection) play(p *rtpout.Player) {
	defer c.readers.Done()
	defer p.Close()
	b := &playback{connection: c, player: p, due: time.NewTimer(0)}
	defer b.due.Stop()
	for {
		select {
		case <-c.wake:
		case <-b.due.C:
		case f := <-c.feedback:
			b.take(f, time.Now())
		case <-c.done:
			return
		}
		if err := b.send(); err != nil {
			c.finish(err)
			return
		}
	}
}

// send writes all that is due.
func (b *playback) send() error {
	for {
		n, err := b.player.Next(time.Now(), b.packet[:])
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		b.write(n)
	}
	now := time.Now()
	for n := b.player.NextResend(now, b.packet[:]); n > 0; n = b.player.NextResend(now, b.packet[:]) {
		b.write(n)
	}
	if n := b.player.Reports(now, b.packet[:]); n > 0 {
		compound := rtcp.RawPacket(b.packet[:n])
		_ = b.connection.pc.WriteRTCP([]rtcp.Packet{&compound}) // fails only once the connection is over, which Done tells
	}
	if at, paced := b.player.Due(); paced {
		b.due.Reset(time.Until(at))
	}
	return nil
}

// write writes one packet. One that can't be written is lost on the way, like others; Done tells of a connection that
// is over. All streams of a connection are one SRTP session: any of them takes the packets of all.
func (b *playback) write(n int) {
	_, _ = b.connection.tracks[0].stream.Write(b.packet[:n])
}
