package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/rtpout"
	"sluice/transport"
)

// raw is a track that sends whatever header it is given.
type raw struct {
	stream  webrtc.TrackLocalWriter
	ssrc    uint32
	payload uint8
	seq     uint16
}

func (r *raw) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, c := range ctx.CodecParameters() {
		if c.MimeType == webrtc.MimeTypeVP8 {
			r.stream, r.ssrc, r.payload = ctx.WriteStream(), uint32(ctx.SSRC()), uint8(c.PayloadType)
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, errors.New("no VP8")
}

func (r *raw) Unbind(webrtc.TrackLocalContext) error { return nil }
func (r *raw) ID() string                            { return "video" }
func (r *raw) RID() string                           { return "" }
func (r *raw) StreamID() string                      { return "s" }
func (r *raw) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeVideo }

// picture sends one picture, a keyframe; change, if any, is made to its packet.
func (r *raw) picture(t testing.TB, change func(p *rtp.Packet)) {
	t.Helper()
	p := vp8Packet(r.seq, uint32(r.seq)*1800, true)
	p.SSRC, p.PayloadType = r.ssrc, r.payload
	if change != nil {
		change(p)
	}
	if p.SSRC == r.ssrc {
		r.seq++
	}
	if _, err := r.stream.WriteRTP(&p.Header, p.Payload); err != nil {
		t.Fatal(err)
	}
}

// attack is a publisher behind a relay that is free in what it sends.
type attack struct {
	publisher *publisher
	raw       *raw
	relay     *relay
	reception *Reception
	sink      *gathering
	ended     <-chan error
}

func newAttack(t *testing.T) *attack {
	t.Helper()
	e := newEngine(t, Options{})
	a := &attack{publisher: newSoundPublisher(t), raw: &raw{}, relay: newRelay(t, e.Addr()), sink: newGathering()}
	transceiver, err := a.publisher.AddTransceiverFromTrack(a.raw, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	go a.publisher.readFeedback(transceiver.Sender())
	a.reception = receive(t, e, hidden(a.publisher.offer(t)))
	a.ended = run(t, a.reception, a.sink)
	a.publisher.accept(t, a.relay.route(a.reception.Description(), e.Addr()))
	await(t, a.reception.Connected(), "connected")
	await(t, a.publisher.connected, "connected on the publisher's side")
	return a
}

// survives sends pictures until one has come, and expects as many units as pictures.
func (a *attack) survives(t *testing.T) {
	t.Helper()
	a.raw.picture(t, nil)
	a.sink.await(t, "/video", int(a.raw.seq))
	select {
	case <-a.reception.Done():
		t.Fatalf("the session is over: %v", a.reception.Err())
	default:
	}
	if got := a.sink.count("/video"); got != int(a.raw.seq) {
		t.Errorf("%d units of %d pictures", got, a.raw.seq)
	}
}

// J110: plain RTP and RTCP, from wherever, is not listened to.
func TestPlaintextIsDropped(t *testing.T) {
	a := newAttack(t)
	a.survives(t)
	stranger, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(a.relay.engine))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	p := vp8Packet(a.raw.seq, 0, true)
	p.SSRC, p.PayloadType = a.raw.ssrc, a.raw.payload
	plain, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	bye, err := (&rtcp.Goodbye{Sources: []uint32{a.raw.ssrc}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		for _, b := range [][]byte{plain, bye, {0x80}, make([]byte, 1400)} {
			a.relay.inject(b)
			_, _ = stranger.Write(b)
		}
		if i%10 == 9 { // before the socket is full
			a.survives(t)
		}
	}
	if s := a.reception.Stats(); s.Packets != uint64(a.raw.seq) || s.Malformed != 0 {
		t.Errorf("%+v after %d pictures", s, a.raw.seq)
	}
}

// J111: packets whose tag is wrong, as those under another key are, and packets that come again are dropped.
func TestForgedAndReplayedSRTP(t *testing.T) {
	a := newAttack(t)
	a.relay.in.set(func(p []byte) []byte {
		if isRTP(p) || isRTCP(p) {
			for i := range len(p) {
				forged := slices.Clone(p)
				forged[i] ^= 1 + byte(i)
				if isRTP(forged) || isRTCP(forged) {
					a.relay.inject(forged)
				}
			}
			for range 20 {
				a.relay.inject(p)
			}
		}
		return p
	})
	for range 20 {
		a.survives(t)
	}
	if s := a.reception.Stats(); s.Packets != uint64(a.raw.seq) || s.Lost != 0 || s.Malformed != 0 {
		t.Errorf("%+v after %d pictures", s, a.raw.seq)
	}
}

// J112: a publisher whose certificate is not the one of its offer is not listened to.
func TestPublisherWithWrongFingerprint(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	r := receive(t, e, withForeignFingerprint(p.offer(t)))
	ended := run(t, r, g)
	p.accept(t, r.Description())
	await(t, r.Done(), "over")
	if err := <-ended; !errors.As(err, new(*transport.HandshakeError)) || !errors.As(r.Err(), new(*transport.HandshakeError)) {
		t.Errorf("Run: %v, Err: %v; want a failed handshake", err, r.Err())
	}
	if n := g.count("/video") + g.count("/audio"); n != 0 || r.Stats() != (ReceptionStats{}) {
		t.Errorf("%d units, %+v", n, r.Stats())
	}
}

// J112: ClientHellos without end cost nothing, before the handshake and after it.
func TestClientHelloFlood(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	link := newRelay(t, e.Addr())
	before := heap()
	var hello atomic.Pointer[[]byte]
	link.in.set(func(b []byte) []byte {
		if isDTLS(b) && hello.Load() == nil {
			first := slices.Clone(b)
			hello.Store(&first)
			for range 1000 {
				link.inject(b)
			}
		}
		return b
	})
	r := receive(t, e, hidden(p.offer(t)))
	run(t, r, g)
	p.accept(t, link.route(r.Description(), e.Addr()))
	await(t, r.Connected(), "connected")
	for i := range uint32(1000) {
		again := slices.Clone(*hello.Load())
		binary.BigEndian.PutUint32(again[7:], 1000+i) // the low part of the record's sequence number
		link.inject(again)
	}
	p.publishUntil(t, g, "/video", "/audio")
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// J113, J114: packets that are sealed well but hold nonsense do no more than be counted. The first of all is one of
// them.
func TestMalformedRTPInSRTP(t *testing.T) {
	a := newAttack(t)
	for name, change := range map[string]func(p *rtp.Packet){
		"unknown payload type":   func(p *rtp.Packet) { p.PayloadType = 77 + 48 },
		"type of the sound":      func(p *rtp.Packet) { p.PayloadType = 111 },
		"padding of 0":           func(p *rtp.Packet) { p.Padding, p.Payload = true, append(p.Payload, 0) },
		"partitions without end": func(p *rtp.Packet) { p.Payload = []byte{0x30, 0xff, 0xff, 0xff} },
		"padding alone":          func(p *rtp.Packet) { p.Padding, p.Payload = true, []byte{0, 0, 0, 4} },
		"empty":                  func(p *rtp.Packet) { p.Payload = nil },
		"a descriptor alone":     func(p *rtp.Packet) { p.Payload = []byte{0xff} },
		"foreign SSRC":           func(p *rtp.Packet) { p.SSRC++ },
		"SSRC 0":                 func(p *rtp.Packet) { p.SSRC = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				a.raw.picture(t, change)
			}
			before := a.sink.count("/video")
			for end := time.After(patience); a.sink.count("/video") == before; {
				a.raw.picture(t, nil)
				select {
				case <-a.sink.got:
				case err := <-a.ended:
					t.Fatalf("the session is over: %v", err)
				case <-end:
					t.Fatal("no unit comes any more")
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
	if s := a.reception.Stats(); s.Malformed == 0 {
		t.Errorf("none was counted: %+v", s)
	}
}

// J114: 10 000 SSRCs cost little and end the session.
func TestManySSRCs(t *testing.T) {
	a := newAttack(t)
	a.survives(t)
	before := heap()
	for i := range uint32(10_000) {
		select {
		case <-a.reception.Done():
		default:
			a.raw.picture(t, func(p *rtp.Packet) { p.SSRC = a.raw.ssrc + 1 + i })
			continue
		}
		break
	}
	await(t, a.reception.Done(), "over")
	if err := <-a.ended; !errors.As(err, new(*transport.FloodError)) || !errors.As(a.reception.Err(), new(*transport.FloodError)) {
		t.Errorf("Run: %v, Err: %v", err, a.reception.Err())
	}
	if got := a.sink.count("/video"); got != 1 {
		t.Errorf("%d units of one picture", got)
	}
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}

// J115: a layer that was not negotiated is not received, and a stream stays the layer that it began as.
func TestForeignRIDs(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newLayers(t, "0", "1"), newGathering()
	r := receive(t, e, p.offer(t))
	run(t, r, g)
	p.accept(t, r.Description())
	await(t, r.Connected(), "connected")
	await(t, p.connected, "connected on the publisher's side")
	mid := videoMID(r.Description())
	sent := []string{"0", "1", "9", "0123456789abcdef", "0"}
	end := time.After(patience)
	for seq := uint16(0); g.count("0/video") < 20; seq++ {
		for track, rid := range map[string]string{"0": sent[int(seq)%len(sent)], "1": "9"} {
			packet := vp8Packet(seq, uint32(seq)*1800, seq%10 == 0)
			if packet.SetExtension(p.mid, []byte(mid)) != nil || packet.SetExtension(p.rid, []byte(rid)) != nil {
				t.Fatal("no header extensions")
			}
			_ = p.tracks[track].WriteRTP(packet)
		}
		select {
		case <-g.got:
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatal("no unit of layer 0 comes")
		}
	}
	if n := g.count("1/video") + g.count("9/video") + g.count("/video"); n != 0 {
		t.Errorf("%d units of other layers", n)
	}
}

// garbage is RTCP that a peer may seal and send.
func garbage() map[string][]byte {
	nacks := make([]byte, 0, 6000)
	for range 500 {
		nacks = append(nacks, 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2)
	}
	return map[string][]byte{
		"length beyond the end":   {0x81, 206, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 2},
		"length of one word less": {0x80, 200, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2},
		"SDES overrun":            {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 255, 'a', 'b'},
		"SDES of 31 chunks":       {0x9f, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b'},
		"XR":                      {0x80, 207, 0, 4, 0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8},
		"XR overrun":              {0x80, 207, 0, 2, 0, 0, 0, 1, 5, 0, 0xff, 0xff},
		"BYE of another":          {0x81, 203, 0, 1, 0xde, 0xad, 0xbe, 0xef},
		"BYE of 31 sources":       {0x9f, 203, 0, 1, 0, 0, 0, 1},
		"NACK of 31 messages":     {0x9f, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2},
		"TWCC of 65535 statuses":  {0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x1f, 0xff, 0x1f, 0xff},
		"REMB of 2^63":            {0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 0xff, 0xff, 0xff, 0, 0, 0, 2},
		"REMB of 0":               {0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 0, 0, 0, 0, 0, 0, 2},
		"unknown type":            {0x80, 210, 0, 1, 0, 0, 0, 1},
		"compound of 500":         nacks,
	}
}

// J121: RTCP that means nothing, of a publisher and of a viewer, is ignored.
func TestRTCPGarbage(t *testing.T) {
	t.Run("publisher", func(t *testing.T) {
		a := newAttack(t)
		a.survives(t)
		for name, b := range garbage() {
			raw := rtcp.RawPacket(b)
			if err := a.publisher.WriteRTCP([]rtcp.Packet{&raw}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, ntp := range []uint64{0, 1<<63 | 1, 1<<64 - 1} {
			_ = a.publisher.WriteRTCP([]rtcp.Packet{&rtcp.SenderReport{SSRC: a.raw.ssrc, NTPTime: ntp, RTPTime: 1 << 31}})
		}
		for range 5 {
			a.survives(t)
		}
	})
	t.Run("viewer", func(t *testing.T) {
		e, v := newEngine(t, Options{}), newViewer(t)
		c := answerTo(t, e, v.offer(t), rtpout.PlayOptions{})
		v.accept(t, c.Description())
		await(t, c.Connected(), "connected")
		await(t, v.connected, "connected on the viewer's side")
		c.feeds(t, opus)
		ssrc := c.ssrc("video")
		for name, b := range garbage() {
			if len(b) >= 12 {
				b = slices.Clone(b)
				binary.BigEndian.PutUint32(b[8:], ssrc)
			}
			raw := rtcp.RawPacket(b)
			if err := v.WriteRTCP([]rtcp.Packet{&raw}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		asked := c.publisher.KeyframeRequests()
		select {
		case <-asked: // the first
		default:
		}
		for end := time.After(patience); ; {
			_ = v.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}})
			select {
			case <-asked:
				received(t, c, v, 100)
				return
			case <-time.After(20 * time.Millisecond):
			case <-end:
				t.Fatalf("a wish for a keyframe is no longer heard: %v", c.Err())
			}
		}
	})
}

// J114: a viewer that tells of SSRCs without end is gone.
func TestManySSRCsOfReports(t *testing.T) {
	e := newEngine(t, Options{})
	c, v := connect(t, e, nil)
	for i := range uint32(10_000) {
		select {
		case <-c.Done():
		default:
			_ = v.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: 1 + i}})
			if i%100 == 99 {
				<-time.After(time.Millisecond) // what was sent is read, if it can be
			}
			continue
		}
		break
	}
	await(t, c.Done(), "over")
	if !errors.As(c.Err(), new(*transport.FloodError)) {
		t.Errorf("%v", c.Err())
	}
}
