package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"sluice/media"
)

// harassment has a publisher send other packets besides its own, which are all as they should be. next encrypts and
// sends a packet; header is a copy.
type harassment func(header *rtp.Header, payload []byte, next interceptor.RTPWriter)

// besides wraps a harassment: it goes before each packet of the publisher's, once that is to begin.
func besides(h harassment, begun *atomic.Bool) func(interceptor.RTPWriter) interceptor.RTPWriter {
	return func(next interceptor.RTPWriter) interceptor.RTPWriter {
		return interceptor.RTPWriterFunc(func(header *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
			if begun.Load() {
				copied := header.Clone()
				h(&copied, payload, next)
			}
			return next.Write(header, payload, a)
		})
	}
}

// junk is encrypted with the publisher's own keys: only its contents are wrong.
var junk = map[string]harassment{
	// J114
	"payload types that were not negotiated": func(h *rtp.Header, payload []byte, next interceptor.RTPWriter) {
		h.PayloadType = uint8(rand.IntN(128))
		h.SSRC++
		_, _ = next.Write(h, payload, nil)
	},
	// J113
	"version 0": func(h *rtp.Header, payload []byte, next interceptor.RTPWriter) {
		h.Version, h.SSRC = 0, h.SSRC+1
		_, _ = next.Write(h, payload, nil)
	},
	// J113: the last octet says how much padding there is.
	"more padding than payload": func(h *rtp.Header, payload []byte, next interceptor.RTPWriter) {
		h.Padding, h.SSRC = true, h.SSRC+1
		_, _ = next.Write(h, append(payload[:len(payload):len(payload)], 255), nil)
	},
	// J116: fragments that begin pictures and never end them.
	"fragments without end": func(h *rtp.Header, _ []byte, next interceptor.RTPWriter) {
		h.SSRC++
		_, _ = next.Write(h, append([]byte{0x7c, 0x85}, make([]byte, 1000)...), nil)
	},
}

// floods are too much: the gateway ends the session of whoever sends them.
var floods = map[string]harassment{
	// J114
	"another SSRC in each packet": func(h *rtp.Header, payload []byte, next interceptor.RTPWriter) {
		for range 20 {
			h.SSRC = rand.Uint32()
			_, _ = next.Write(h, payload, nil)
		}
	},
	// J115
	"layers that were not negotiated": func(h *rtp.Header, payload []byte, next interceptor.RTPWriter) {
		h.SSRC = rand.Uint32()
		_ = h.SetExtension(2, []byte(strconv.Itoa(rand.IntN(1000)))) // of pion's RIDs
		_, _ = next.Write(h, payload, nil)
	},
}

// TestHostilePublisher harasses the gateway from inside an encrypted session. What the publisher sends besides
// reaches the viewer unharmed, and the gateway lives.
//
// Proves J113, J114, J115 and J116 as seen from outside.
func TestHostilePublisher(t *testing.T) {
	t.Parallel()
	for name, h := range junk {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var begun atomic.Bool
			checkHarassed(t, pionOptions{write: besides(h, &begun)}, func(*gatewayProcess, *pionPublisher) { begun.Store(true) })
		})
	}
	for name, h := range floods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkFlooded(t, h)
		})
	}
	t.Run("RTCP that lies", func(t *testing.T) { // J121
		t.Parallel()
		checkHarassed(t, pionOptions{}, func(_ *gatewayProcess, p *pionPublisher) { p.lie() })
	})
	t.Run("packets that are not encrypted", func(t *testing.T) { // J110, J111
		t.Parallel()
		checkHarassed(t, pionOptions{}, func(_ *gatewayProcess, p *pionPublisher) { p.intrude(t) })
	})
}

// checkHarassed watches while something is done.
func checkHarassed(t *testing.T, o pionOptions, meanwhile func(*gatewayProcess, *pionPublisher)) {
	t.Helper()
	g := startGateway(t, publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), o)
	g.awaitState(t, "studio", "ready", answerLimit)
	v := g.watch(t, "studio")
	v.awaitFrames(t, 10)
	meanwhile(g, p)
	v.awaitFramesMore(t, 40)
	v.close()
	v.checkVideo(t, media.H264, 50)
	if status := p.stop(t); status != http.StatusOK {
		t.Errorf("DELETE is answered with %d, want 200", status)
	}
}

// checkFlooded waits until a publisher is thrown out; its viewer goes on with the next one.
func checkFlooded(t *testing.T, h harassment) {
	t.Helper()
	var begun atomic.Bool
	g := startGateway(t, publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), pionOptions{write: besides(h, &begun)})
	g.awaitState(t, "studio", "ready", answerLimit)
	v := g.watch(t, "studio?wait=1")
	begun.Store(true)
	select {
	case <-p.closed:
	case <-time.After(mediaLimit):
		t.Fatal("the publisher is not thrown out")
	}
	publishWithPion(t, g.whip("studio"), pionOptions{})
	v.awaitFramesMore(t, 30)
	v.close()
	v.checkVideo(t, media.H264, 30)
	g.await(t, `publisher gone.*reason="the peer sends too much`, mediaLimit)
}

// lie sends RTCP whose lengths, counts and times are wrong.
func (p *pionPublisher) lie() {
	var flood []rtcp.Packet
	for range 500 {
		flood = append(flood, &rtcp.ReceiverReport{SSRC: rand.Uint32()})
	}
	for _, packets := range [][]rtcp.Packet{
		flood,
		{&rtcp.SenderReport{SSRC: 1}},
		{&rtcp.SenderReport{SSRC: 1, NTPTime: 1<<64 - 1, RTPTime: 1<<32 - 1}},
		{&rtcp.Goodbye{Sources: []uint32{1, 2, 3, rand.Uint32()}}},
		{&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1e18}},
		{raw(0x80, 200, 0, 0)},                                                       // SR of four octets
		{raw(0x80, 200, 0xff, 0xff)},                                                 // longer than the packet
		{raw(0x9f, 202, 0, 1, 0, 0, 0, 1, 1, 200, 'x')},                              // SDES item beyond the end
		{raw(0x9f, 203, 0, 0)},                                                       // BYE of 31 sources, none there
		{raw(0x9f, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0)},                   // a NACK of format 31
		{raw(0x8f, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff, 0, 0, 0, 0)}, // TWCC of 65535 packets
		{raw(0x80, 207, 0, 2, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff)},                   // XR
	} {
		for range 20 {
			_ = p.connection.WriteRTCP(packets) // pion refuses what it cannot write; the rest goes out
		}
	}
}

func raw(b ...byte) *rtcp.RawPacket {
	p := rtcp.RawPacket(b)
	return &p
}

var mediaPort = regexp.MustCompile(`a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) `)

// intrude sends RTP, RTCP, DTLS and nonsense to the gateway's media port, from the publisher's socket and another.
func (p *pionPublisher) intrude(t *testing.T) {
	t.Helper()
	port := mediaPort.FindStringSubmatch(p.answer)
	if port == nil {
		t.Fatalf("no candidate in\n%s", p.answer)
	}
	to, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+port[1])
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for i := range 2000 {
		packet := make([]byte, 12+rand.IntN(1200))
		for at := range packet {
			packet[at] = byte(rand.Uint32())
		}
		packet[0] = []byte{0x80, 0x90, 0xbf, 0, 1, 20, 22, 23, 64}[i%9] // RTP, STUN, DTLS, TURN channel
		for _, from := range []net.PacketConn{stranger, p.socket} {
			if _, err := from.WriteTo(packet, to); err != nil {
				t.Fatal(err)
			}
		}
		if i%100 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// TestNeverConnects posts an offer and does nothing more: the session is freed once its time is over.
//
// Proves A79 and A82.
func TestNeverConnects(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "webrtc.ice_timeout = \"1s\"\n"+publishConfig("studio"))
	offer := withoutCandidates(newOffer(t))
	_, _, _, refused := postOffer(t, g.whip("studio"), offer)
	if refused != nil {
		t.Fatalf("POST: %+v", *refused)
	}
	eventually(t, leaveLimit, func() string {
		if all := g.sessions(t, "studio"); len(all) > 0 {
			return fmt.Sprintf("the session is there still: %+v", all)
		}
		return ""
	})
	if all := g.listed(t); len(all) != 1 || !all[0].isOver() || all[0].Verdict.Reason != "nothing_arrived" {
		t.Errorf("it is remembered as %+v", all)
	}
}

// newOffer is an offer of a publisher that will never connect.
func newOffer(t *testing.T) string {
	t.Helper()
	p := &pionPublisher{connected: make(chan struct{}), closed: make(chan struct{}), stopped: make(chan struct{})}
	p.connection = p.newConnection(t, pionOptions{})
	t.Cleanup(p.close)
	p.addTracks(t, nil)
	return p.offer(t)
}
