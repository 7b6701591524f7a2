package peer

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
)

// J123: a viewer that wants all that is kept again, every 10 ms, gets a fifth of what it is sent, beside a burst at
// the start; what is sent for the first time always goes out. By RTX or under the same SSRC.
func TestResendBudget(t *testing.T) {
	for name, ssrc := range map[string]uint32{"under its SSRC": 1, "by RTX": 2} {
		t.Run(name, func(t *testing.T) {
			const size, packets = 1000, 10_000
			var first, again, refused uint64
			budget := &resendBudget{refused: func() { refused++ }}
			w := budget.BindLocalStream(&interceptor.StreamInfo{SSRC: 1, SSRCRetransmission: 2},
				interceptor.RTPWriterFunc(func(h *rtp.Header, _ []byte, _ interceptor.Attributes) (int, error) {
					if h.Marker {
						again++
					} else {
						first++
					}
					return size, nil
				}))
			write := func(h *rtp.Header) {
				if _, err := w.Write(h, make([]byte, size), nil); err != nil {
					t.Fatal(err)
				}
			}
			for n := range packets {
				write(&rtp.Header{SSRC: 1, SequenceNumber: uint16(65000 + n)})
				for back := range 5 {
					write(&rtp.Header{SSRC: ssrc, SequenceNumber: uint16(65000 + n - back), Marker: true})
				}
			}
			if most := uint64(packets/resendShare + resendBurst/size); first != packets || again > most || again < packets/resendShare {
				t.Errorf("%d packets for the first time, %d again, want at most %d", first, again, most)
			}
			if again+refused != 5*packets {
				t.Errorf("%d sent again and %d refused, of %d", again, refused, 5*packets)
			}
		})
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
			c := answerTo(t, e, change.Replace(hidden(v.offer(t))), PlayOptions{})
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

// awaitResent sends pictures until the one that was swallowed has come.
func awaitResent(t *testing.T, c *Connection, v *viewer, swallowed <-chan uint16) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	var want *uint16
	for n := 0; ; n++ {
		if err := c.Send(picture(n)); err != nil {
			t.Fatal(err)
		}
		select {
		case seq := <-swallowed:
			want = &seq
		case p := <-v.packets:
			if want != nil && p.SequenceNumber == *want {
				return
			}
		case <-tick.C:
		case <-end:
			t.Fatal("what was lost never came")
		}
	}
}

// picture is one VP8 picture of a packet.
func picture(n int) *hub.Unit {
	return &hub.Unit{
		AccessUnit: &media.AccessUnit{
			PTS: media.PTS(time.Now(), 90000), Keyframe: true, Data: [][]byte{append([]byte{0, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0}, make([]byte, 100)...)},
		},
		Track: &vp8, Count: uint64(n + 1),
	}
}
