package peer

import (
	"errors"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"

	"sluice/media"
)

func portOf(n uint16) string { return strconv.Itoa(int(n)) }

// received sends sound until a packet of it has arrived.
func received(t *testing.T, c *Connection, v *viewer, size int) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); ; {
		if err := c.Send(sound(size)); err != nil {
			t.Fatal(err)
		}
		select {
		case p := <-v.packets:
			if len(p.Payload) != size {
				t.Errorf("%d bytes of payload arrived, %d were sent", len(p.Payload), size)
			}
			return
		case <-again.C:
		case <-end:
			t.Fatal("no packet arrived")
		}
	}
}

// A37, A81: every DTLS role that an offer may ask for connects, and an offer without candidates.
func TestOffersOfEveryKindConnect(t *testing.T) {
	e := newEngine(t, Options{})
	for name, c := range map[string]struct {
		change *strings.Replacer
		setup  string // of the answer
	}{
		"actpass": {nil, "passive"},
		"active":  {strings.NewReplacer("a=setup:actpass", "a=setup:active"), "passive"},
		"passive": {strings.NewReplacer("a=setup:actpass", "a=setup:passive"), "active"},
	} {
		t.Run(name, func(t *testing.T) {
			connection, v := connect(t, e, c.change)
			if !strings.Contains(connection.Description(), "a=setup:"+c.setup+"\r\n") {
				t.Errorf("the answer is not %s:\n%s", c.setup, connection.Description())
			}
			received(t, connection, v, 100)
		})
	}
	t.Run("no candidates", func(t *testing.T) {
		v := newViewer(t)
		sdp := hidden(v.offer(t))
		connection := answerTo(t, e, sdp, PlayOptions{})
		v.accept(t, connection.Description())
		await(t, connection.Connected(), "connected")
	})
}

// I10: AES-128-GCM is chosen of both profiles, and either alone will do. What tells them apart on the wire is the
// length of the tag: 16 or 10 bytes.
func TestSRTPProfiles(t *testing.T) {
	for name, c := range map[string]struct {
		profiles []dtls.SRTPProtectionProfile
		tag      int
	}{
		"both, the old one first": {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM}, 16},
		"GCM alone":               {[]dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM}, 16},
		"SHA1-80 alone":           {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			r := newRelay(t, e.Addr())
			v := newViewer(t, c.profiles...)
			connection := answerTo(t, e, hidden(v.offer(t)), PlayOptions{})
			v.accept(t, r.route(connection.Description(), e.Addr()))
			await(t, connection.Connected(), "connected")
			received(t, connection, v, 100)
			if got, want := <-r.sizes, 12+100+c.tag; got != want {
				t.Errorf("a packet of 100 bytes has %d on the wire, want %d", got, want)
			}
		})
	}
}

// I10: a viewer whose certificate is not the one of its offer gets no media, and is gone.
func TestWrongFingerprint(t *testing.T) {
	e := newEngine(t, Options{})
	v := newViewer(t)
	sdp := regexp.MustCompile(`(a=fingerprint:sha-256 )..`).ReplaceAllString(v.offer(t), "${1}00")
	total := &Counters{}
	c := answerTo(t, e, sdp, PlayOptions{Total: total})
	v.accept(t, c.Description())
	await(t, c.Done(), "over")
	var handshake *HandshakeError
	if err := c.Err(); !errors.As(err, &handshake) {
		t.Errorf("%v, want a failed handshake", err)
	}
	select {
	case <-c.Connected():
		t.Error("the connection says that media can flow")
	default:
	}
	if total.Stats() != (Stats{}) {
		t.Errorf("sent: %+v", total.Stats())
	}
}

// A7: a viewer that closes its connection is gone at once, and so is one that is closed here.
func TestGoodbyes(t *testing.T) {
	e := newEngine(t, Options{})
	c, v := connect(t, e, nil)
	began := time.Now()
	if err := v.GracefulClose(); err != nil {
		t.Fatal(err)
	}
	await(t, c.Done(), "over")
	if took := time.Since(began); took > 2*time.Second || !errors.Is(c.Err(), ErrPeerLeft) {
		t.Errorf("%v after %v", c.Err(), took)
	}
	c, v = connect(t, e, nil)
	began = time.Now()
	c.Close()
	c.Close()
	if took := time.Since(began); took > time.Second || c.Err() != nil {
		t.Errorf("%v after %v", c.Err(), took)
	}
	await(t, c.Done(), "over")
	await(t, v.closed, "told")
}

// A80: a viewer that vanishes without a word is gone after the consent timeout, and the error says so.
func TestVanishedViewer(t *testing.T) {
	e := newEngine(t, Options{})
	e.silence = silence{keepalive: 50 * time.Millisecond, disconnected: 300 * time.Millisecond, failed: 300 * time.Millisecond}
	r := newRelay(t, e.Addr())
	v := newViewer(t)
	c := answerTo(t, e, hidden(v.offer(t)), PlayOptions{})
	v.accept(t, r.route(c.Description(), e.Addr()))
	await(t, c.Connected(), "connected")
	if c.RemoteAddress() != r.toEngine.LocalAddr().String() {
		t.Errorf("remote address %q, want the relay's, %s", c.RemoteAddress(), r.toEngine.LocalAddr())
	}
	r.cut()
	await(t, c.Done(), "over")
	var gone *UnreachableError
	if !errors.As(c.Err(), &gone) || !gone.WasConnected {
		t.Errorf("%v", c.Err())
	}
}

// A80: what the consent timeout makes of pion's two steps, which together are never longer than it.
func TestSilence(t *testing.T) {
	for consent, want := range map[time.Duration]silence{
		30 * time.Second: {keepalive: 2 * time.Second, disconnected: 5 * time.Second, failed: 25 * time.Second},
		10 * time.Second: {keepalive: 2 * time.Second, disconnected: 5 * time.Second, failed: 5 * time.Second},
		2 * time.Second:  {keepalive: time.Second / 2, disconnected: time.Second, failed: time.Second},
	} {
		if s := newSilence(consent); s != want {
			t.Errorf("%v: %+v, want %+v", consent, s, want)
		}
	}
}

// Connected waits for ICE, DTLS and every track: Send has what it needs then.
func TestConnectedMeansBound(t *testing.T) {
	e := newEngine(t, Options{})
	for range 20 {
		c, _ := connect(t, e, nil)
		for id, track := range c.tracks {
			if track.sender == nil || track.stream == nil {
				t.Fatalf("track %s is not bound", id)
			}
		}
		c.Close()
	}
}

// B12, A57: PLI and FIR ask for a keyframe, a NACK is counted, and neither needs a listener.
func TestFeedback(t *testing.T) {
	asked := 0
	c := &Connection{onKeyframe: func() { asked++ }, total: &Counters{}}
	c.onFeedback(&rtcp.PictureLossIndication{})
	c.onFeedback(&rtcp.FullIntraRequest{})
	c.onFeedback(&rtcp.ReceiverReport{})
	c.onFeedback(&rtcp.TransportLayerNack{Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{1, 2, 900})})
	if asked != 2 || c.Stats().Resends != 3 || c.total.Stats().Resends != 3 {
		t.Errorf("%d keyframes, %+v", asked, c.Stats())
	}
	connection, v := connect(t, newEngine(t, Options{}), nil)
	if err := v.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: 1}}); err != nil {
		t.Fatal(err)
	}
	received(t, connection, v, 50)
	if s := connection.Stats(); s.Packets == 0 || s.Bytes != 50*s.Packets {
		t.Errorf("%+v", s)
	}
	other := sound(10)
	other.Track = &media.Track{ID: "data"}
	if err := connection.Send(other); err != nil {
		t.Errorf("a track that is not in the plan: %v", err)
	}
}

// A79, I-4: connections that come and go in any order, connected or not, leave nothing.
func TestManyConnectionsLeakNothing(t *testing.T) {
	e := newEngine(t, Options{})
	warm, _ := connect(t, e, nil)
	warm.Close()
	before, files := runtime.NumGoroutine(), openFiles(t)
	open := make(map[*Connection]*viewer)
	for range 200 {
		v := newViewer(t)
		c := answerTo(t, e, v.offer(t), PlayOptions{})
		if open[c] = v; rand.IntN(3) > 0 {
			v.accept(t, c.Description())
		}
		for c, v := range open { // in random order
			if len(open) > 10 || rand.IntN(4) == 0 {
				c.Close()
				_ = v.GracefulClose()
				delete(open, c)
			}
		}
	}
	for c, v := range open {
		c.Close()
		_ = v.GracefulClose()
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before+5 || openFiles(t) > files+2; {
		if time.Now().After(end) {
			t.Fatalf("goroutines: %d before, %d after; files: %d and %d", before, runtime.NumGoroutine(), files, openFiles(t))
		}
		<-time.After(20 * time.Millisecond)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
