package peer

import (
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

func portOf(n uint16) string { return strconv.Itoa(int(n)) }

// received sends sound until a packet of it has arrived.
func received(t *testing.T, c *playing, v *viewer, size int) {
	t.Helper()
	c.feeds(t, opus)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for end := time.After(patience); ; {
		c.write(t, sound(size))
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
		connection := answerTo(t, e, sdp, rtpout.PlayOptions{})
		v.accept(t, connection.Description())
		await(t, connection.Connected(), "connected")
	})
}

// A frame of sound is not cut: one that is larger than the packets of pictures goes out as well.
func TestLargeFramesOfSoundGoOut(t *testing.T) {
	connection, v := connect(t, newEngine(t, Options{}), nil)
	received(t, connection, v, rtpout.MaxPayload+87)
}

// I10: of both profiles the one is chosen that costs this CPU less, and either alone will do. What tells them apart on
// the wire is the length of the tag: 16 or 10 bytes.
func TestSRTPProfiles(t *testing.T) {
	fastest := 10
	if transport.SRTPProfiles[dtls.SRTPProtectionProfile]()[0] == dtls.SRTP_AEAD_AES_128_GCM {
		fastest = 16
	}
	for name, c := range map[string]struct {
		profiles []dtls.SRTPProtectionProfile
		tag      int
	}{
		"both, the old one first": {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM}, fastest},
		"both, the new one first": {[]dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}, fastest},
		"GCM alone":               {[]dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM}, 16},
		"SHA1-80 alone":           {[]dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			r := newRelay(t, e.Addr())
			v := newViewer(t, c.profiles...)
			connection := answerTo(t, e, hidden(v.offer(t)), rtpout.PlayOptions{})
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
	sdp := withForeignFingerprint(v.offer(t))
	total := &rtpout.Counters{}
	c := answerTo(t, e, sdp, rtpout.PlayOptions{Total: total})
	v.accept(t, c.Description())
	await(t, c.Done(), "over")
	var handshake *transport.HandshakeError
	if err := c.Err(); !errors.As(err, &handshake) {
		t.Errorf("%v, want a failed handshake", err)
	}
	select {
	case <-c.Connected():
		t.Error("the connection says that media can flow")
	default:
	}
	if total.Stats() != (rtpout.Stats{}) {
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
	if took := time.Since(began); took > 10*time.Second || !errors.Is(c.Err(), transport.ErrPeerLeft) {
		t.Errorf("%v after %v", c.Err(), took)
	}
	c, v = connect(t, e, nil)
	began = time.Now()
	c.Close()
	c.Close()
	if took := time.Since(began); took > 10*time.Second || c.Err() != nil {
		t.Errorf("%v after %v", c.Err(), took)
	}
	await(t, c.Done(), "over")
	await(t, v.closed, "told")
}

// A80: a viewer that vanishes without a word is gone after the consent timeout, and the error says so.
func TestVanishedViewer(t *testing.T) {
	e := newEngine(t, Options{})
	e.silence = silence{keepalive: 50 * time.Millisecond, disconnected: 2 * time.Second, failed: 2 * time.Second}
	r := newRelay(t, e.Addr())
	v := newViewer(t)
	c := answerTo(t, e, hidden(v.offer(t)), rtpout.PlayOptions{})
	v.accept(t, r.route(c.Description(), e.Addr()))
	await(t, c.Connected(), "connected")
	if c.RemoteAddress() != r.toEngine.LocalAddr().String() {
		t.Errorf("remote address %q, want the relay's, %s", c.RemoteAddress(), r.toEngine.LocalAddr())
	}
	r.cut()
	await(t, c.Done(), "over")
	var gone *transport.UnreachableError
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

// Connected waits for ICE, DTLS and every track: Start has what it needs then.
func TestConnectedMeansBound(t *testing.T) {
	e := newEngine(t, Options{})
	for range 20 {
		c, _ := connect(t, e, nil)
		for _, track := range c.tracks {
			if track.out.SSRC == 0 || track.stream == nil {
				t.Fatalf("track %s is not bound", track.ID())
			}
		}
		c.Close()
	}
}

// B12, A57: PLI and FIR ask for a keyframe.
func TestFeedback(t *testing.T) {
	c, v := connect(t, newEngine(t, Options{}), nil)
	c.feeds(t, vp8)
	await(t, c.publisher.KeyframeRequests(), "asked for the first keyframe")
	c.write(t, picture(true))
	for name, p := range map[string]rtcp.Packet{
		"PLI": &rtcp.PictureLossIndication{MediaSSRC: c.ssrc("video")},
		"FIR": &rtcp.FullIntraRequest{MediaSSRC: c.ssrc("video"), FIR: []rtcp.FIREntry{{SSRC: c.ssrc("video"), SequenceNumber: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			again := time.NewTicker(50 * time.Millisecond) // wishes that come too soon are merged with the one before
			defer again.Stop()
			for end := time.After(patience); ; {
				if err := v.WriteRTCP([]rtcp.Packet{p}); err != nil {
					t.Fatal(err)
				}
				select {
				case <-c.publisher.KeyframeRequests():
					return
				case <-again.C:
				case <-end:
					t.Fatal("the source is not asked")
				}
			}
		})
	}
}

// ssrc is that of a track.
func (p *playing) ssrc(id string) uint32 {
	for _, t := range p.tracks {
		if t.ID() == id {
			return t.out.SSRC
		}
	}
	return 0
}

// The round trip is the time since the report that the viewer speaks of, less the time that it kept it.
func TestRoundTrip(t *testing.T) {
	now := time.Now()
	sent := compactNTP(now)
	for name, c := range map[string]struct {
		report rtcp.ReceptionReport
		after  time.Duration
		want   time.Duration
		ok     bool
	}{
		"no report yet":           {rtcp.ReceptionReport{}, time.Second, 0, false},
		"at once":                 {rtcp.ReceptionReport{LastSenderReport: sent}, 250 * time.Millisecond, 250 * time.Millisecond, true},
		"kept for half a second":  {rtcp.ReceptionReport{LastSenderReport: sent, Delay: 1 << 15}, 750 * time.Millisecond, 250 * time.Millisecond, true},
		"kept longer than it was": {rtcp.ReceptionReport{LastSenderReport: sent, Delay: 1 << 17}, time.Second, 0, false},
		"of long ago":             {rtcp.ReceptionReport{LastSenderReport: sent}, time.Minute, 0, false},
	} {
		d, ok := roundTrip(c.report, now.Add(c.after))
		if ok != c.ok || ok && (d-c.want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, %v; want %v, %v", name, d, ok, c.want, c.ok)
		}
	}
}

// A stream that is removed, and a track that may not be sent, end the connection with that error.
func TestFeedEnds(t *testing.T) {
	unfit := errors.New("it does not fit")
	for name, c := range map[string]struct {
		check  func(*media.Track) error
		remove bool
		want   error
	}{
		"removed": {nil, true, hub.ErrClosed},
		"unfit":   {func(*media.Track) error { return unfit }, false, unfit},
	} {
		t.Run(name, func(t *testing.T) {
			connection, _ := connect(t, newEngine(t, Options{}), nil)
			h := hub.New(hub.Options{})
			t.Cleanup(h.Close)
			stream, err := h.Create("cam")
			if err != nil {
				t.Fatal(err)
			}
			p, err := stream.Publish(media.MainRendition, []media.Track{opus})
			if err != nil {
				t.Fatal(err)
			}
			sub, err := connection.Start(rtpout.Feed{Stream: stream, Rendition: media.MainRendition, Check: c.check})
			if err != nil {
				t.Fatal(err)
			}
			if c.remove {
				err = h.Remove("cam")
			} else {
				err = p.Write("audio", sound(10))
			}
			if err != nil {
				t.Fatal(err)
			}
			await(t, connection.Done(), "over")
			if err := connection.Err(); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			connection.Close()
			if !sub.Closed() {
				t.Error("the subscriber is left open")
			}
		})
	}
}

// With hub.StartGOP a viewer gets the cached pictures at once, under sequence numbers without a gap.
func TestInstantStart(t *testing.T) {
	h := hub.New(hub.Options{})
	t.Cleanup(h.Close)
	stream, err := h.Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	p, err := stream.Publish(media.MainRendition, []media.Track{vp8})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if err := p.Write("video", picture(n == 0)); err != nil {
			t.Fatal(err)
		}
	}
	c, v := connect(t, newEngine(t, Options{}), nil)
	if _, err := c.Start(rtpout.Feed{Stream: stream, Rendition: media.MainRendition, Start: hub.StartGOP}); err != nil {
		t.Fatal(err)
	}
	var first uint16
	for n := range uint16(20) {
		select {
		case packet := <-v.packets:
			if n == 0 {
				first = packet.SequenceNumber
			}
			if packet.SequenceNumber != first+n {
				t.Fatalf("packet %d has number %d, the first has %d", n, packet.SequenceNumber, first)
			}
		case <-time.After(patience):
			t.Fatalf("%d of 20 pictures came", n)
		}
	}
}

// A79, I-4: connections that come and go in any order, connected or not, leave nothing.
func TestManyConnectionsLeakNothing(t *testing.T) {
	e := newEngine(t, Options{})
	warm, _ := connect(t, e, nil)
	warm.Close()
	before, files := runtime.NumGoroutine(), openFiles(t)
	open := make(map[*playing]*viewer)
	for range 200 {
		v := newViewer(t)
		c := answerTo(t, e, v.offer(t), rtpout.PlayOptions{})
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

// The extension that says how long a viewer may wait before it shows a picture goes under the number of the offer, and
// only where it was offered.
func TestPlayoutDelay(t *testing.T) {
	for name, c := range map[string]struct {
		change *strings.Replacer
		want   uint8
	}{
		"offered": {strings.NewReplacer("a=rtpmap:96 VP8", "a=extmap:9 "+negotiation.PlayoutDelay+"\r\na=rtpmap:96 VP8"), 9},
		"not":     {strings.NewReplacer(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			connection, _ := connect(t, newEngine(t, Options{}), c.change)
			for _, track := range connection.tracks {
				want := uint8(0)
				if track.ID() == "video" {
					want = c.want
				}
				if track.out.PlayoutDelay != want {
					t.Errorf("%s: number %d, want %d", track.ID(), track.out.PlayoutDelay, want)
				}
			}
			if answered := strings.Contains(connection.Description(), "a=extmap:9 "+negotiation.PlayoutDelay); answered != (c.want != 0) {
				t.Errorf("it is in the answer: %v", answered)
			}
		})
	}
}
