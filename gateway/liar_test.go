package gateway_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/internal/testviewer"
)

// liar is a publisher of one track that sends whatever it is told to, besides or instead of what is right.
type liar struct {
	pc       *webrtc.PeerConnection
	codec    testviewer.Codec
	unit     [][]byte // the payloads of a picture or sound that needs no other
	room     string   // where it publishes
	location string

	stream  webrtc.TrackLocalWriter // from Bind on
	payload uint8
	ssrc    uint32

	connected chan struct{}
	stop      chan struct{}
	sending   sync.WaitGroup
	header    rtp.Header            // of the last packet; the sender's own
	orders    chan order            // to the sender
	failed    atomic.Pointer[error] // of sending
	halt      func()                // may be called twice
}

// order is something wrong that a sender is to do. done is closed after it.
type order struct {
	lies  []string                   // payloads of their own, each with a marker and without
	steps int                        // units to spoil
	spoil func(n int, h *rtp.Header) // the header of packet n
	done  chan struct{}
}

// newLiar has not published yet.
func newLiar(t *testing.T, codec testviewer.Codec, unit ...[]byte) *liar {
	t.Helper()
	kind := webrtc.RTPCodecTypeVideo
	if strings.HasPrefix(codec.MimeType, "audio/") {
		kind = webrtc.RTPCodecTypeAudio
	}
	c := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(codec.PayloadType), RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: codec.MimeType, ClockRate: codec.ClockRate, Channels: codec.Channels, SDPFmtpLine: codec.FMTP,
	}}
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterCodec(c, kind); err != nil {
		t.Fatal(err)
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{pc: pc, codec: codec, unit: unit, connected: make(chan struct{}), stop: make(chan struct{}), orders: make(chan order, 1)}
	l.halt = sync.OnceFunc(func() { close(l.stop) })
	t.Cleanup(func() {
		l.halt()
		l.sending.Wait()
		_ = pc.GracefulClose()
	})
	var connected sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			connected.Do(func() { close(l.connected) })
		}
	})
	if _, err := pc.AddTransceiverFromTrack(l, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	return l
}

// Bind is of webrtc.TrackLocal, as those that follow.
func (l *liar) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, c := range ctx.CodecParameters() {
		if c.MimeType == l.codec.MimeType {
			l.stream, l.ssrc, l.payload = ctx.WriteStream(), uint32(ctx.SSRC()), uint8(c.PayloadType)
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, errors.New("no such codec")
}

func (l *liar) Unbind(webrtc.TrackLocalContext) error { return nil }
func (l *liar) ID() string                            { return "track" }
func (l *liar) RID() string                           { return "" }
func (l *liar) StreamID() string                      { return "s" }

func (l *liar) Kind() webrtc.RTPCodecType {
	return webrtc.NewRTPCodecType(l.codec.MimeType[:5])
}

// offer has all candidates.
func (l *liar) offer(t *testing.T) string {
	t.Helper()
	sdp, err := testviewer.Offer(l.pc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

// publish begins to send what is right, 100 times a second.
func (l *liar) publish(t *testing.T, w *watched, room, offer string) {
	t.Helper()
	l.room = room
	a := w.ask(t, "POST", "/"+room+"/whip", w.one.token, offer)
	answer := read(t, a)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, answer)
	}
	l.location = a.Header.Get("Location")
	if err := l.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.connected:
	case <-time.After(patience):
		t.Fatal("never: connected")
	}
	l.header = rtp.Header{Version: 2, PayloadType: l.payload, SSRC: l.ssrc}
	l.sending.Go(l.send)
}

func (l *liar) send() {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	tick := func() bool {
		select {
		case <-pace.C:
			l.header.Timestamp += l.codec.ClockRate / 100
			return true
		case <-l.stop:
			return false
		}
	}
	for tick() {
		l.write(l.unit, nil)
		select {
		case o := <-l.orders:
			l.obey(o, tick)
		default:
		}
	}
}

func (l *liar) obey(o order, tick func() bool) {
	defer close(o.done)
	for _, lie := range o.lies {
		for _, marker := range []bool{true, false} {
			if !tick() {
				return
			}
			l.write([][]byte{[]byte(lie)}, func(_ int, h *rtp.Header) { h.Marker = marker })
			if !tick() {
				return
			}
			l.write(l.unit, nil)
		}
	}
	for i := range o.steps {
		if !tick() {
			return
		}
		l.write(l.unit, func(n int, h *rtp.Header) { o.spoil(i*len(l.unit)+n, h) })
	}
}

// write sends the packets of one unit. A sequence number that change makes goes on from there.
func (l *liar) write(payloads [][]byte, change func(n int, h *rtp.Header)) {
	for i, payload := range payloads {
		l.header.SequenceNumber++
		h := l.header
		h.Marker = i == len(payloads)-1 && l.Kind() == webrtc.RTPCodecTypeVideo
		if change != nil {
			change(i, &h)
		}
		l.header.SequenceNumber = h.SequenceNumber
		if _, err := l.stream.WriteRTP(&h, slices.Clone(payload)); err != nil {
			l.failed.Store(&err)
		}
	}
}

// does waits until an order was obeyed.
func (l *liar) does(t *testing.T, o order) {
	t.Helper()
	o.done = make(chan struct{})
	l.orders <- o
	select {
	case <-o.done:
	case <-time.After(2 * patience):
		t.Fatal("the publisher did not do as it was told")
	}
	if err := l.failed.Load(); err != nil {
		t.Fatal(*err)
	}
}

// begins publishes in a new room, where nobody else may, and is watched.
func (l *liar) begins(t *testing.T, w *watched, change *strings.Replacer) <-chan *rtp.Packet {
	t.Helper()
	w.rooms++
	offer, room := change.Replace(l.offer(t)), fmt.Sprintf("room-%d", w.rooms)
	w.keepsOut(t, "POST", "/"+room+"/whip", offer)
	l.publish(t, w, room, offer)
	w.awaitStream(t, room)
	v := w.watch(t, room)
	if l.Kind() == webrtc.RTPCodecTypeAudio {
		return v.Audio
	}
	return v.Video
}

// ends is still in the session that it had, and may leave it.
func (l *liar) ends(t *testing.T, w *watched) {
	t.Helper()
	if s := l.pc.ConnectionState(); s != webrtc.PeerConnectionStateConnected {
		t.Errorf("the publisher is %s", s)
	}
	w.keepsOut(t, "DELETE", l.location, "")
	if gone := w.ask(t, "DELETE", l.location, w.one.token, ""); gone.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %d", gone.StatusCode)
	}
	w.goesOn(t)
}

// arrive reads units that have yet to come, until n are without a gap, and says what is in each.
func arrive(t *testing.T, from <-chan *rtp.Packet, n int) (units [][]byte) {
	t.Helper()
	for len(from) > 0 {
		<-from
	}
	last, whole := receive(t, from, 1)[0], false
	var unit []byte
	for len(units) < n {
		p := receive(t, from, 1)[0]
		next := p.SequenceNumber == last.SequenceNumber+1
		if p.Timestamp != last.Timestamp {
			if whole && next {
				units = append(units, unit)
			}
			unit, whole = nil, true
		}
		unit, whole, last = append(unit, p.Payload...), whole && next, p
	}
	return units
}
