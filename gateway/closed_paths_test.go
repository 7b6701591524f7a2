package gateway_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/pion/stun/v4"
)

// dataSection has a publisher or viewer ask for a data channel.
const dataSection = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sctp-port:5000\r\na=max-message-size:1073741824\r\n"

// hostilePaths are what a viewer does that was let in. At its end it is connected, or says that it can't be.
var hostilePaths = map[string]struct {
	more  string // of the offer
	tries func(t *testing.T, w *watched, p *rawPeer)
}{
	"J93: both controlled":        {"", bothControlled},
	"J94: no priority, no role":   {"", withoutAttributes},
	"J95: nominations that flap":  {"", flapping},
	"J112: another certificate":   {"", anotherCertificate},
	"J112: ClientHellos":          {"", manyHellos},
	"J124: SCTP with its section": {dataSection, uncalledSCTP},
	"J124: SCTP out of the blue":  {"", uncalledSCTP},
}

// J93, J94, J95, J112, J124, once more with authorisation on: whoever was let in is no more believed for it than at an
// open gateway, and whoever was not finds nobody at the media port.
func TestHostilePathsToAClosedGateway(t *testing.T) {
	for way, keys := range map[string]string{"fast": "", "slow": "fast_path = false\n"} {
		t.Run(way, func(t *testing.T) {
			w := newWatched(t, keys, "strict")
			for id, c := range hostilePaths {
				t.Run(id, func(t *testing.T) {
					p := newRawPeer(t, "recvonly", c.more)
					w.keepsOut(t, "POST", "/cam/whep", p.offer)
					p.join(t, w, "/cam/whep")
					stranger := newFoot(t, p.port, "neverwas", "nobody has this password")
					knock(t, stranger)
					c.tries(t, w, p)
					w.keepsOut(t, "DELETE", p.location, "")
					if gone := w.ask(t, "DELETE", p.location, w.one.token, ""); gone.StatusCode != 200 {
						t.Errorf("DELETE: %d", gone.StatusCode)
					}
					w.goesOn(t)
					if len(stranger.stun)+len(stranger.media) > 0 {
						t.Error("somebody who was not let in was answered")
					}
				})
			}
		})
	}
}

// knock sends what begins a session, as somebody who has none.
func knock(t *testing.T, f *foot) {
	t.Helper()
	for _, data := range [][]byte{f.request(controlling, priority, nominated).Raw, f.request().Raw, f.request(controlled).Raw, hello(0, 0, 0), {0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}} {
		for range 10 {
			f.send(t, data)
		}
	}
}

// controlled has the greatest tie-breaker, so that whoever is controlled too stays that.
var controlled = stun.RawAttribute{Type: stun.AttrICEControlled, Value: bytes.Repeat([]byte{255}, 8)}

func bothControlled(t *testing.T, w *watched, p *rawPeer) {
	p.connects(t, w, func() {
		for range 3 {
			var code stun.ErrorCodeAttribute
			if m := p.check(t, controlled, priority, nominated); m.Type != stun.BindingError || code.GetFrom(m) != nil || code.Code != stun.CodeRoleConflict {
				t.Fatalf("the conflict was answered with %v", m)
			}
		}
		p.passes(t, nominated)
	})
}

func withoutAttributes(t *testing.T, w *watched, p *rawPeer) {
	p.connects(t, w, func() {
		if m := p.check(t, nominated); m.Type != stun.BindingSuccess {
			t.Fatalf("the check was answered with %v", m)
		}
	})
}

func flapping(t *testing.T, w *watched, p *rawPeer) {
	p.connects(t, w, func() { p.passes(t, nominated) })
	feet := []*foot{p.foot, p.another(t)}
	for i := range 100 {
		feet[1].passes(t, nominated)
		feet[0].passes(t, nominated)
		if i%10 == 0 {
			awaitMedia(t, feet...)
		}
	}
	for range 10 {
		feet = append(feet, p.another(t))
		feet[len(feet)-1].passes(t, nominated)
	}
	awaitMedia(t, feet...)
}

func anotherCertificate(t *testing.T, w *watched, p *rawPeer) {
	p.cert = newRawPeer(t, "recvonly", "").cert
	p.passes(t, nominated)
	_ = p.shake(t) // it may hear that it is over when it believes to be through
	eventually(t, "it is over", func() bool {
		return w.ask(t, "GET", p.location, w.one.token, "").StatusCode == 404
	})
	if len(p.media) > 0 {
		t.Error("media were sent")
	}
	w.blames(t, "failed: certificate")
}

// hello is a record with the beginning of a ClientHello that says to have as many bytes, of which 38 are here.
func hello(sequence uint16, offset, length uint32) []byte {
	record := []byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1}
	binary.BigEndian.PutUint16(record[9:], sequence)
	record = append(record, byte(length>>16), byte(length>>8), byte(length), 0, 0)
	record = append(record, byte(offset>>16), byte(offset>>8), byte(offset), 0, 0, 38)
	return append(record, make([]byte, 38)...)
}

func manyHellos(t *testing.T, w *watched, p *rawPeer) {
	goroutines, before := runtime.NumGoroutine(), heap()
	never := newRawPeer(t, "recvonly", "")
	never.join(t, w, "/cam/whep")
	never.passes(t, nominated)
	for i := range uint16(1000) {
		never.send(t, hello(i, 0, 38))
	}
	if n := w.metric(t, w.admin.token, "sluice_viewer_handshakes", ""); n > 1 {
		t.Errorf("%d handshakes are under way for one viewer", n)
	}
	w.goesOn(t)
	if gone := w.ask(t, "DELETE", never.location, w.one.token, ""); gone.StatusCode != 200 {
		t.Errorf("DELETE: %d", gone.StatusCode)
	}
	p.connects(t, w, func() {
		p.passes(t, nominated)
		p.tapped = func(first []byte) {
			for range 100 { // a handshake is given no more than 256 datagrams
				p.send(t, first)
			}
		}
	})
	for i := range uint16(1000) {
		p.send(t, hello(1000+i, 0, 38))                                       // begin again
		p.send(t, hello(2000+i, uint32(i)*38, 1<<24-1))                       // fragments without end
		p.send(t, append([]byte{22, 254, 253, 0, 1}, hello(i, 0, 38)[5:]...)) // as if it were encrypted
		if i%100 == 0 {
			awaitMedia(t, p.foot)
		}
	}
	awaitMedia(t, p.foot)
	if n := runtime.NumGoroutine() - goroutines; n > 200 {
		t.Errorf("%d goroutines more", n)
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	eventually(t, "no handshake is under way", func() bool {
		return w.metric(t, w.admin.token, "sluice_viewer_handshakes", "") == 0
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below 2^63
}

// uncalledSCTP floods with associations and what would come in them: there are no data channels, whatever is offered.
func uncalledSCTP(t *testing.T, w *watched, p *rawPeer) {
	goroutines, before := runtime.NumGoroutine(), heap()
	p.connects(t, w, func() { p.passes(t, nominated) })
	packet := func(tag byte, chunk ...byte) []byte {
		return append([]byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, tag, 0, 0, 0, 0}, chunk...)
	}
	initiation := packet(0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 16, 0, 0, 255, 255, 255, 255, 0, 0, 0, 1)
	open := packet(1, append([]byte{0, 3, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 50, 3, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0}, make([]byte, 1000)...)...) // a label of 64 KiB
	name := packet(1, append([]byte{0, 2, 0, 32, 0, 0, 0, 2, 255, 255, 0, 0, 0, 0, 0, 53}, "../../etc/passwd"...)...)
	for i := range 2000 {
		for _, data := range [][]byte{initiation, open, name} {
			if _, err := p.seals.Write(data); err != nil {
				t.Fatal(err)
			}
		}
		if i%200 == 0 {
			awaitMedia(t, p.foot)
		}
	}
	p.passes(t)
	awaitMedia(t, p.foot)
	if n := runtime.NumGoroutine() - goroutines; n > 200 {
		t.Errorf("%d goroutines more", n)
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}
