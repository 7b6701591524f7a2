package session_test

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"sluice/internal/testviewer"
	"sluice/session"
)

const (
	midURI = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ridURI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
)

// layered is a pion PeerConnection that sends layers, the first of them the largest.
type layered struct {
	*webrtc.PeerConnection

	rids     []string
	tracks   []*webrtc.TrackLocalStaticRTP
	mid, rid uint8 // of the header extensions
	sequence uint16

	mu     sync.Mutex
	paused string // guarded by mu: the layer that is not sent
}

func newLayered(t *testing.T, rids ...string) *layered {
	t.Helper()
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{midURI, ridURI} {
		if err := codecs.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	l := &layered{PeerConnection: newPeerConnection(t, webrtc.WithMediaEngine(codecs)), rids: rids}
	var sender *webrtc.RTPSender
	for _, rid := range rids {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
			"layers", "s", webrtc.WithRTPStreamID(rid))
		if err != nil {
			t.Fatal(err)
		}
		l.tracks = append(l.tracks, track)
		if sender != nil {
			err = sender.AddEncoding(track)
		} else {
			sender, err = l.AddTrack(track)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// publish begins to send keyframes of all layers until the test is over.
func (l *layered) publish(t *testing.T, h *house) *session.Session {
	t.Helper()
	s := h.take(t, &publisher{PeerConnection: l.PeerConnection})
	awaitState(t, s, session.StateConnected)
	for _, e := range l.GetSenders()[0].GetParameters().HeaderExtensions {
		switch e.URI {
		case midURI:
			l.mid = uint8(e.ID)
		case ridURI:
			l.rid = uint8(e.ID)
		}
	}
	stop := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.send()
			case <-stop:
				return
			}
		}
	})
	t.Cleanup(func() { close(stop); sender.Wait() })
	return s
}

func (l *layered) pause(rid string) {
	l.mu.Lock()
	l.paused = rid
	l.mu.Unlock()
}

func (l *layered) send() {
	l.sequence++
	l.mu.Lock()
	paused := l.paused
	l.mu.Unlock()
	mid := l.GetTransceivers()[0].Mid()
	for i, rid := range l.rids {
		if rid == paused {
			continue
		}
		p := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true, SequenceNumber: l.sequence, Timestamp: 1800 * uint32(l.sequence)}}
		p.Payload = []byte{0x10, 0x10, 0, 0, 0x9d, 1, 0x2a, 0, 0, 0, 0, 0}
		binary.LittleEndian.PutUint16(p.Payload[7:], width(i))
		binary.LittleEndian.PutUint16(p.Payload[9:], width(i)/2)
		_ = p.SetExtension(l.mid, []byte(mid))
		_ = p.SetExtension(l.rid, []byte(rid))
		_ = l.tracks[i].WriteRTP(p)
	}
}

func width(layer int) uint16 { return 640 >> layer }

// widthOf is that of the picture in a packet to a viewer, whose payload descriptor may be longer than what was sent.
func widthOf(t *testing.T, p *rtp.Packet) int {
	t.Helper()
	at := slices.Index(p.Payload, 0x9d)
	if at < 0 {
		t.Fatalf("no keyframe: %x", p.Payload)
	}
	return int(binary.LittleEndian.Uint16(p.Payload[at+3:]))
}

// B16, A58: three layers become three renditions, ordered by size; a viewer changes between them without a break in
// its sequence numbers, and goes on with another when one stops.
func TestSimulcast(t *testing.T) {
	h := publishHouse(t, session.Options{}, 0)
	l := newLayered(t, "x", "y", "z")
	l.publish(t, h)
	s, v := h.watch(t)
	last := awaitPacket(t, v)
	for step, c := range []struct {
		do    func() error
		width int
	}{
		{func() error { return nil }, 640},
		{func() error { return s.SelectLayer(session.LayerChoice{RID: "z"}) }, 160},
		{func() error { return s.SelectLayer(session.LayerChoice{MaxWidth: 400}) }, 320},
		{func() error { return s.SelectLayer(session.LayerChoice{}) }, 640},
		{func() error { l.pause("x"); return nil }, 320},
		{func() error { l.pause(""); return nil }, 640},
	} {
		awaitLayers(t, s, c.width)
		if err := c.do(); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		last = awaitWidth(t, v, last, c.width)
	}
	var names []string
	for _, r := range h.stream.Renditions() {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, []string{"x", "y", "z"}) {
		t.Errorf("renditions %v", names)
	}
}

// awaitLayers waits until there is a layer of a width.
func awaitLayers(t *testing.T, s *session.Session, width int) {
	t.Helper()
	has := func(l session.Layer) bool { return l.Width == width || width == 640 }
	for end := time.Now().Add(patience); !slices.ContainsFunc(s.Layers(), has); <-time.After(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no layer of width %d: %+v", width, s.Layers())
		}
	}
}

// awaitWidth reads packets, each of which must follow the one before, until the picture has a width.
func awaitWidth(t *testing.T, v *testviewer.Viewer, last *rtp.Packet, width int) *rtp.Packet {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		next := awaitPacket(t, v)
		if next.SequenceNumber != last.SequenceNumber+1 || next.SSRC != last.SSRC || int32(next.Timestamp-last.Timestamp) <= 0 {
			t.Fatalf("%v follows %v", next.Header, last.Header)
		}
		last = next
		if widthOf(t, next) == width {
			return last
		}
		if time.Now().After(end) {
			t.Fatalf("the picture never has a width of %d", width)
		}
	}
}
