package peer

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
	"sluice/rtpout"
)

// J123: a viewer that wants all that is kept again, every few packets, gets a fifth of what it is sent, beside a burst
// at the start; what is sent for the first time always goes out.
func TestResendBudget(t *testing.T) {
	const pictures, burst = 400, 128 << 10
	c, v := connect(t, newEngine(t, Options{}), nil)
	c.feeds(t, vp8)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	var latest uint16
	got := uint64(0)
	for n := 0; n < pictures; {
		select {
		case p := <-v.packets:
			latest = p.SequenceNumber
			got++
		case <-tick.C:
			c.write(t, large(n == 0))
			if n++; n%5 == 0 {
				wantAgain(t, v, c.ssrc("video"), latest)
			}
		}
	}
	s := c.Stats()
	if most := s.Packets + s.Packets/5 + burst/(s.Bytes/s.Packets); s.Refused == 0 || got < s.Packets || got > most {
		t.Errorf("%d packets came, want at most %d of %+v", got, most, s)
	}
}

// wantAgain asks for the packets up to one again.
func wantAgain(t *testing.T, v *viewer, ssrc uint32, latest uint16) {
	t.Helper()
	var wanted []uint16
	for back := range uint16(64) {
		wanted = append(wanted, latest-63+back)
	}
	err := v.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(wanted)}})
	if err != nil {
		t.Fatal(err)
	}
}

// B13, F27: what the way to a viewer swallows comes again, by RTX where it was offered and as the same packet where not.
func TestLossBeforeAViewer(t *testing.T) {
	for name, change := range map[string]*strings.Replacer{
		"by RTX":         strings.NewReplacer(),
		"under its SSRC": strings.NewReplacer("video/rtx", "video/none", " rtx/90000", " none/90000"),
	} {
		t.Run(name, func(t *testing.T) {
			e, v := newEngine(t, Options{}), newViewer(t)
			way := newRelay(t, e.Addr())
			c := answerTo(t, e, change.Replace(hidden(v.offer(t))), rtpout.PlayOptions{})
			v.accept(t, way.route(c.Description(), e.Addr()))
			await(t, c.Connected(), "connected")
			await(t, v.connected, "connected on the viewer's side")
			var pictures atomic.Int32
			swallowed := make(chan uint16, 1)
			way.out.set(func(p []byte) []byte {
				if seq, isMedia := mediaSequence(p, 96); isMedia && pictures.Add(1) == 5 { // nothing tells of a first one that is lost
					swallowed <- seq
					return nil
				}
				return p
			})
			awaitResent(t, c, v, swallowed)
		})
	}
}

// awaitResent sends pictures until the one that was swallowed has come. It sends them slowly: of thousands a second a
// viewer asks for none again that has left its window.
func awaitResent(t *testing.T, c *playing, v *viewer, swallowed <-chan uint16) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	var want *uint16
	c.feeds(t, vp8)
	for {
		select {
		case seq := <-swallowed:
			want = &seq
		case p := <-v.packets:
			if want != nil && p.SequenceNumber == *want {
				return
			}
		case <-tick.C:
			c.write(t, picture(true))
		case <-end:
			t.Fatal("what was lost never came")
		}
	}
}

// picture is one VP8 picture of a packet.
func picture(key bool) *media.AccessUnit { return sizedPicture(key, 100) }

// large is one that fills most of a packet.
func large(key bool) *media.AccessUnit { return sizedPicture(key, 1000) }

func sizedPicture(key bool, size int) *media.AccessUnit {
	now := time.Now()
	head := []byte{0, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0}
	if !key {
		head[0] = 1
	}
	return &media.AccessUnit{
		PTS: media.PTS(now, 90000), Arrived: now, Keyframe: key, Data: [][]byte{append(head, make([]byte, size)...)},
	}
}
