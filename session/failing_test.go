package session

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sluice/fanout"
	"sluice/hub"
	"sluice/internal/lossyrelay"
	"sluice/internal/testviewer"
	"sluice/media"
	"sluice/peer"
	"sluice/transport"
)

// failure is a connection that does not come about, or does not last.
type failure struct {
	offer, answer func(sdp string) string        // changes what the other side is told; nil: nothing
	silent        bool                           // the viewer does not even begin
	up, down      func(packet []byte) bool       // what gets through to the gateway, and back; nil: all
	connected     func(r *filter, v *realViewer) // once it is; nil: it never is
	want          Cause
	detail        string
	limits        limits // zero: it is to be over soon
}

// limits are how long a connection may take to come about, and how long its peer may be silent.
type limits struct{ ice, consent time.Duration }

var (
	// ample is for what ends by itself, however slow the machine is.
	ample = limits{20 * time.Second, 20 * time.Second}
	// fair is for what has to come some way before its time is over.
	fair = limits{9 * time.Second, 20 * time.Second}
)

var (
	icePassword = regexp.MustCompile(`a=ice-pwd:\S+`)
	certificate = regexp.MustCompile(`(a=fingerprint:sha-256 )\S+`)
)

// Real connections that fail, on both ways: each for the reason that is told.
func TestVerdictsOfRealConnections(t *testing.T) {
	notDTLS := func(p []byte) bool { return p[0] < 20 || p[0] > 63 }
	zeros := "${1}00" + strings.Repeat(":00", 31)
	for name, c := range map[string]failure{
		"nothing is sent": {silent: true, want: CauseNothingArrived, detail: detailHere},
		"nothing arrives": {up: func([]byte) bool { return false }, want: CauseNothingArrived, detail: detailHere},
		"another password": {
			answer: func(sdp string) string { return icePassword.ReplaceAllString(sdp, "a=ice-pwd:0123456789abcdefghijkl") },
			want:   CauseCredentials, limits: fair,
		},
		"answers are lost":        {down: func([]byte) bool { return false }, want: CauseNotAnswered, limits: fair},
		"another certificate":     {offer: func(sdp string) string { return certificate.ReplaceAllString(sdp, zeros) }, want: CauseHandshake, detail: string(transport.HandshakeCertificate), limits: ample},
		"ours is another":         {answer: func(sdp string) string { return certificate.ReplaceAllString(sdp, zeros) }, want: CauseHandshake, detail: string(transport.HandshakeRefused), limits: ample},
		"our flight is swallowed": {down: notDTLS, want: CauseHandshake, detail: string(transport.HandshakeTimeout), limits: fair},
		"consent is lost":         {connected: func(f *filter, _ *realViewer) { f.cut.Store(true) }, want: CauseConsent, limits: limits{20 * time.Second, 4 * time.Second}},
		"it leaves":               {connected: func(_ *filter, v *realViewer) { _ = v.pc.Close() }, want: "", limits: ample},
	} {
		for _, way := range []Way{WayFast, WaySlow} {
			t.Run(name+", "+string(way), func(t *testing.T) {
				t.Parallel()
				c.run(t, way)
			})
		}
	}
}

func (c *failure) run(t *testing.T, way Way) {
	m, port := newRealManager(t, way, c.limits)
	v := newRealViewer(t)
	offer := apply(c.offer, withoutCandidates(v.offer(t)))
	s, answer, err := m.Play(t.Context(), PlayRequest{Stream: "cam", Offer: offer, Loopback: true, RemoteAddress: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Route().Way != way {
		t.Fatalf("it goes the way %+v", s.Route())
	}
	f := newFilter(t, port, c.up, c.down)
	if !c.silent {
		v.accept(t, apply(c.answer, lossyrelay.Rewrite(answer, f.addr())))
	}
	if c.connected != nil {
		v.awaitConnected(t)
		c.connected(f, v)
	}
	select {
	case <-s.Done():
	case <-time.After(40 * time.Second):
		t.Fatalf("it is not over; %+v", s.Verdict())
	}
	got := s.Verdict()
	if got.Reason != c.want || got.Detail != c.detail || got.State != StateClosed {
		t.Errorf("%+v, want %q %q; it ended by %v", got, c.want, c.detail, s.endedBy())
	}
	if remembered := len(m.Ended()); remembered != count(c.connected == nil) {
		t.Errorf("%d sessions are remembered", remembered)
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func apply(change func(string) string, sdp string) string {
	if change == nil {
		return sdp
	}
	return change(sdp)
}

// withoutCandidates leaves the gateway no way past the filter.
func withoutCandidates(sdp string) string {
	return regexp.MustCompile("a=candidate:.*\r\n").ReplaceAllString(sdp, "")
}

// newRealManager makes a manager of the stream "cam", on a port of this machine, whose viewers go one way.
func newRealManager(t *testing.T, way Way, l limits) (*Manager, netip.AddrPort) {
	t.Helper()
	if l == (limits{}) {
		l = limits{4 * time.Second, 2 * time.Second}
	}
	log := slog.New(slog.DiscardHandler)
	port, err := transport.Listen(t.Context(), transport.Options{ListenUDP: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	key, err := transport.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	slow := peer.NewEngine(t.Context(), peer.Options{Conn: port.Others(), Hosts: port, Certificate: key, ConsentTimeout: l.consent, Log: log})
	fast := fanout.New(fanout.Options{Port: port, Certificate: key, ConsentTimeout: l.consent, Log: log})
	quick := OnFanout(fast)
	if way == WaySlow {
		quick = nil
	}
	streams := hub.New(hub.Options{})
	stream, err := streams.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	source, err := stream.Publish(media.MainRendition, []media.Track{picture, sound})
	if err != nil {
		t.Fatal(err)
	}
	m := New(InHub(streams, Terms{}), On(slow, quick), Options{ICETimeout: l.ice, Log: log})
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() { _ = fast.Run(ctx) })
	running.Go(func() { film(ctx, source) })
	t.Cleanup(func() {
		m.Close()
		_ = slow.Close()
		stop()
		running.Wait()
		_ = port.Close()
		streams.Close()
	})
	return m, port.Addr()
}

func film(ctx context.Context, p *hub.Publisher) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = p.Write("video", unit(true))
		case <-ctx.Done():
			return
		}
	}
}

// realViewer is a pion PeerConnection as the browser's.
type realViewer struct {
	pc        *webrtc.PeerConnection
	connected chan struct{}
}

func newRealViewer(t *testing.T) *realViewer {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	v := &realViewer{pc: pc, connected: make(chan struct{})}
	var once sync.Once // it may be connected again after a while without
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(v.connected) })
		}
	})
	recvonly := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, recvonly); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *realViewer) offer(t *testing.T) string {
	t.Helper()
	sdp, err := testviewer.Offer(v.pc, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sdp
}

func (v *realViewer) accept(t *testing.T, answer string) {
	t.Helper()
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
}

func (v *realViewer) awaitConnected(t *testing.T) {
	t.Helper()
	select {
	case <-v.connected:
	case <-time.After(20 * time.Second):
		t.Fatal("never connected")
	}
}

// filter stands between a viewer and the gateway and lets through what it is told to.
type filter struct {
	near, far *net.UDPConn // to the viewer, and to the gateway
	cut       atomic.Bool  // nothing gets through any more
	viewer    atomic.Pointer[netip.AddrPort]
}

func newFilter(t *testing.T, gateway netip.AddrPort, up, down func([]byte) bool) *filter {
	t.Helper()
	f := &filter{near: listenUDP(t), far: listenUDP(t)}
	var passing sync.WaitGroup
	passing.Go(func() {
		f.pass(f.near, up, func(p []byte, from netip.AddrPort) {
			f.viewer.Store(&from)
			_, _ = f.far.WriteToUDPAddrPort(p, gateway)
		})
	})
	passing.Go(func() {
		f.pass(f.far, down, func(p []byte, _ netip.AddrPort) {
			if to := f.viewer.Load(); to != nil {
				_, _ = f.near.WriteToUDPAddrPort(p, *to)
			}
		})
	})
	t.Cleanup(func() {
		_ = f.near.Close()
		_ = f.far.Close()
		passing.Wait()
	})
	return f
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (f *filter) addr() netip.AddrPort { return f.near.LocalAddr().(*net.UDPAddr).AddrPort() }

func (f *filter) pass(from *net.UDPConn, through func([]byte) bool, send func([]byte, netip.AddrPort)) {
	buf := make([]byte, 2048)
	for {
		n, sender, err := from.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n > 0 && !f.cut.Load() && (through == nil || through(buf[:n])) {
			send(buf[:n], sender)
		}
	}
}
