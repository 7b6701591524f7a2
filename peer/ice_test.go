package peer

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // of STUN (RFC 8489 14.5)
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sluice/transport"
)

// A80: a publisher that stops answering checks once media flow, as FFmpeg does, stays as long as its media come, and
// is gone within the consent timeout after the last packet.
func TestMediaAreASignOfLife(t *testing.T) {
	const consent = 4 * time.Second
	e, p, g := newEngine(t, Options{ConsentTimeout: consent}), newPublisher(t), newGathering()
	link := newRelay(t, e.Addr())
	r := receive(t, e, hidden(p.offer(t)))
	ended := run(t, r, g)
	p.accept(t, link.route(r.Description(), e.Addr()))
	await(t, r.Connected(), "connected")
	var last atomic.Int64 // when the last packet of RTP or RTCP went to the engine
	link.in.set(func(b []byte) []byte {
		switch {
		case isSTUN(b):
			return nil
		case !isDTLS(b):
			last.Store(time.Now().UnixNano())
		}
		return b
	})
	began, tick := time.Now(), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for seq := uint16(0); time.Since(began) < consent+consent/2; seq++ {
		_ = p.video.WriteRTP(vp8Packet(seq, uint32(seq)*1800, seq == 0))
		select {
		case err := <-ended:
			t.Fatalf("over after %v: %v", time.Since(began), err)
		case <-tick.C:
		}
	}
	link.cut()
	await(t, r.Done(), "over")
	if silent := time.Since(time.Unix(0, last.Load())); silent > 2*consent-time.Second {
		t.Errorf("over %v after the last packet", silent)
	}
	if gone := new(transport.UnreachableError); !errors.As(r.Err(), &gone) || !gone.WasConnected {
		t.Errorf("%v", r.Err())
	}
}

// A82, J54, J55: candidates of which none works, or may be tried, with an end of candidates: the search goes on until
// its time is up, and ends then. None of them is asked outside the policy.
func TestUselessCandidates(t *testing.T) {
	e, p := newEngine(t, Options{ConsentTimeout: time.Second}), newPublisher(t)
	trap, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	port := portOf(trap.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	began := time.Now()
	r := receive(t, e, hidden(p.offer(t))+"a=end-of-candidates\r\n")
	run(t, r, newGathering())
	r.AddCandidates([]string{
		"1 1 tcp 2130706431 127.0.0.1 22 typ host tcptype passive", // J54
		"1 1 tcp 2130706431 127.0.0.1 9 typ host tcptype active",   // J54
		"1 1 udp 0 127.0.0.1 " + port + " typ host",                // J55
		"1 1 udp 4294967296 127.0.0.1 " + port + " typ host",       // J55
		"1 300 udp 2130706431 127.0.0.1 " + port + " typ host",     // J55
		"1 2 udp 2130706431 127.0.0.1 " + port + " typ host",
		"1 1 udp 2130706431 127.0.0.1 0 typ host",     // J55
		"1 1 udp 2130706431 127.0.0.1 99999 typ host", // J55
		"1 1 udp 2130706431 127.0.0.1 53 typ host",
		"1 1 udp 2130706431 0.0.0.0 " + port + " typ host",
		"1 1 udp 2130706431 localhost " + port + " typ host",
		"1 1 udp 2130706431 " + e.Addr().Addr().String() + " " + portOf(e.Addr().Port()) + " typ host",
		"", "nonsense",
	})
	await(t, r.Done(), "over")
	if took := time.Since(began); took < e.silence.failed {
		t.Errorf("over %v after the end of candidates, before anything could answer: %v", took, r.Err())
	}
	if gone := new(transport.UnreachableError); !errors.As(r.Err(), &gone) || gone.WasConnected {
		t.Errorf("%v", r.Err())
	}
	_ = trap.SetReadDeadline(time.Now())
	if n, from, err := trap.ReadFrom(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes came from %v to where no check may go", n, from)
	}
}

// A59, J56: with a publisher that is ICE-lite we take the controlling part, and media flow.
func TestICELite(t *testing.T) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(onlyLoopback)
	settings.SetLite(true)
	e, p, g := newEngine(t, Options{}), newPublisher(t, settings), newGathering()
	offer := p.offer(t)
	if !strings.Contains(offer, "a=ice-lite\r\n") {
		t.Fatalf("the offer is not ICE-lite:\n%s", offer)
	}
	r := receive(t, e, offer)
	run(t, r, g)
	p.accept(t, r.Description())
	await(t, r.Connected(), "connected")
	if role := r.ice().Role(); role != webrtc.ICERoleControlling {
		t.Errorf("we are %v", role)
	}
	p.publishUntil(t, g, "/video", "/audio")
}

// D10, J94: ffmpeg is the DTLS server, has no candidates, and its checks lack PRIORITY and ICE-CONTROLLING.
func TestChecksWithoutPriorityOrRole(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	link := newRelay(t, e.Addr())
	r := receive(t, e, strings.ReplaceAll(hidden(p.offer(t)), "a=setup:actpass", "a=setup:passive"))
	run(t, r, g)
	password := []byte(values(r.Description(), "ice-pwd")[0])
	var poor atomic.Int32
	link.in.set(func(b []byte) []byte {
		if isSTUN(b) && binary.BigEndian.Uint16(b) == 0x0001 { // a binding request
			poor.Add(1)
			return without(b, password, 0x0024, 0x802a)
		}
		return b
	})
	p.accept(t, link.route(r.Description(), e.Addr()))
	await(t, r.Connected(), "connected")
	p.publishUntil(t, g, "/video", "/audio")
	if poor.Load() == 0 {
		t.Error("no check came by")
	}
}

// without is a STUN message without some of its attributes, sealed anew (RFC 8489 5, 14.5, 14.7).
func without(message, password []byte, attributes ...uint16) []byte {
	const integrity, fingerprint = 0x0008, 0x8028
	out := slices.Clone(message[:20])
	for rest := message[20:]; len(rest) >= 4; {
		kind, size := binary.BigEndian.Uint16(rest), 4+(int(binary.BigEndian.Uint16(rest[2:]))+3)&^3
		if kind != integrity && kind != fingerprint && !slices.Contains(attributes, kind) {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	length := func(more int) { binary.BigEndian.PutUint16(out[2:], uint16(len(out)-20+more)) }
	length(24)
	seal := hmac.New(sha1.New, password)
	seal.Write(out)
	out = append(out, 0, integrity, 0, 20)
	out = seal.Sum(out)
	length(8)
	sum := crc32.ChecksumIEEE(out) ^ 0x5354554e
	out = append(out, fingerprint>>8, fingerprint&0xFF, 0, 4)
	return binary.BigEndian.AppendUint32(out, sum)
}

// A81: peers that tell their candidates after the answer, and others than those that they turn out to use, connect.
func TestLateCandidatesOfThePeer(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	offer := p.offer(t)
	r := receive(t, e, hidden(offer))
	run(t, r, g)
	r.AddCandidates(values(offer, "candidate"))
	r.AddCandidates(values(offer, "candidate"))
	p.accept(t, hidden(r.Description()))
	await(t, r.Connected(), "connected")
	p.publishUntil(t, g, "/video", "/audio")
}
