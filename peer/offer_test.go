package peer

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

func (v *viewer) answerTo(t testing.TB, offer string) string {
	t.Helper()
	if err := v.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatal(err)
	}
	answer, err := v.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-webrtc.GatheringCompletePromise(v.PeerConnection)
	return v.LocalDescription().SDP
}

// B6, C5: what we offer to send is taken by whoever answers, and its packets arrive.
func TestOfferPlay(t *testing.T) {
	for name, tracks := range map[string][]media.Track{
		"picture and sound": {vp8, opus},
		"sound":             {opus},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			c, err := e.OfferPlay(tracks, rtpout.PlayOptions{Loopback: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			v := newViewer(t)
			answer := v.answerTo(t, c.Description())
			if err := c.Accept(answer, nil); err != nil {
				t.Fatal(err)
			}
			await(t, c.Connected(), "connected")
			await(t, v.connected, "connected on the viewer's side")
			received(t, &playing{Connection: c}, v, 100)
			if err := c.Accept(answer, nil); !errors.Is(err, ErrNotOffered) {
				t.Errorf("a second answer: %v", err)
			}
		})
	}
}

// C9: an answer that leaves out what we send is refused, and what can't be carried is not offered.
func TestOfferFaults(t *testing.T) {
	e := newEngine(t, Options{})
	c, err := e.OfferPlay([]media.Track{vp8}, rtpout.PlayOptions{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Accept("v=0\r\n", nil); !errors.As(err, new(*negotiation.MalformedAnswerError)) {
		t.Errorf("an answer of one line: %v", err)
	}
	_, err = e.OfferPlay([]media.Track{{ID: "video", Kind: media.Video, Codec: media.MJPEG, ClockRate: 90000}}, rtpout.PlayOptions{})
	if !errors.As(err, new(*UnsupportedCodecError)) {
		t.Errorf("Motion JPEG is offered: %v", err)
	}
}

// C5, A53: what an engine offers to other servers that is bound to one address, and one that is bound to all, with an
// additional host. Only this machine is told of loopback.
func TestOfferedCandidates(t *testing.T) {
	for name, c := range map[string]struct {
		all      bool // the port is bound to all addresses
		loopback bool
		own      bool // the offer leads to a port of its own
	}{
		"bound to loopback":           {false, false, true},
		"bound to loopback, for here": {false, true, true},
		"bound to all":                {true, false, false},
		"bound to all, for here":      {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{}, func(o *transport.Options) {
				if c.all {
					o.ListenUDP, o.AdditionalHosts = "0.0.0.0:0", []string{"203.0.113.7"}
				}
			})
			play, err := e.OfferPlay([]media.Track{vp8, opus}, rtpout.PlayOptions{Loopback: c.loopback, Outgoing: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(play.Close)
			receive, err := e.OfferReceive(ReceiveOptions{Loopback: c.loopback})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(receive.Close)
			port := " " + portOf(e.Addr().Port()) + " typ host"
			for kind, sdp := range map[string]string{"to send": play.Description(), "to receive": receive.Description()} {
				all := values(sdp, "candidate")
				if (loopbacks(all) > 0) != c.loopback {
					t.Errorf("%s: loopback is announced: %q", kind, all)
				}
				for _, v := range all {
					if strings.Contains(v, port) == c.own {
						t.Errorf("%s: another port: %q", kind, v)
					}
				}
				if named := strings.Contains(sdp, " 203.0.113.7"+port); named == c.own {
					t.Errorf("%s: the additional host is announced: %v", kind, named)
				}
			}
		})
	}
}

// A52, A53, A54, A55: a viewer who gets an offer of ours is told of the ports of all media, wherever they are bound, in
// the order of an answer and to their end, and no other port is opened for him.
func TestCandidatesOfCounterOffers(t *testing.T) {
	for name, c := range map[string]struct {
		listen   string // where the ports are bound
		loopback bool   // the viewer is on this machine
	}{
		"bound to loopback, for here": {"127.0.0.1:0", true},
		"bound to loopback":           {"127.0.0.1:0", false},
		"bound to all, for here":      {":0", true},
		"bound to all":                {":0", false},
	} {
		t.Run(name, func(t *testing.T) {
			all := c.listen == ":0"
			e := newEngine(t, Options{}, func(o *transport.Options) {
				o.ListenUDP, o.ListenTCP = c.listen, c.listen
				if all {
					o.AdditionalHosts = []string{"2001:db8::7", "203.0.113.7"}
				}
			})
			play, err := e.OfferPlay([]media.Track{vp8, opus}, rtpout.PlayOptions{Loopback: c.loopback})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(play.Close)
			if e.outgoing != nil {
				t.Errorf("a port of its own is open: %v", e.outgoing.Addr())
			}
			told := values(play.Description(), "candidate")
			if n := loopbacks(told); (n > 0) != c.loopback || !all && n != len(told) {
				t.Errorf("%d candidates are on loopback: %q", n, told)
			}
			if all && !c.loopback {
				checkTold(t, e, play.Description())
			}
			checkEnd(t, play.Description())
		})
	}
}

// A52, C7: an ICE restart of an offer to a viewer tells of the same places as the offer.
func TestCandidatesOfARestartedCounterOffer(t *testing.T) {
	e := newEngine(t, Options{}, func(o *transport.Options) { o.ListenUDP, o.ListenTCP = ":0", ":0" })
	c, err := e.OfferPlay([]media.Track{vp8}, rtpout.PlayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Accept(newViewer(t).answerTo(t, c.Description()), nil); err != nil {
		t.Fatal(err)
	}
	ours, err := c.RestartOffer()
	if err != nil {
		t.Fatal(err)
	}
	before, after := values(c.Description(), "candidate"), values(ours.String(), "candidate")
	if !slices.Equal(before, after) {
		t.Errorf("offered:   %q\nrestarted: %q", before, after)
	}
}

// C6, A56: with an ICE server that answers, its candidate is told later; with one that does not, nothing is, in time.
func TestLateCandidates(t *testing.T) {
	server := newSTUNServer(t)
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, c := range map[string]struct {
		server string
		want   int
	}{
		"answers": {server, 1},
		"silent":  {silent.LocalAddr().String(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Options{})
			r, err := e.OfferReceive(ReceiveOptions{Loopback: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.Close)
			if late := r.LateCandidates(canceled(t)); late != nil {
				t.Errorf("before the answer: %q", late)
			}
			p := newPublisher(t)
			if err := r.Accept(p.answer(t, r.Description()), []ICEServer{{URLs: []string{"stun:" + c.server}}}); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			late := r.LateCandidates(t.Context())
			if took := time.Since(began); took > gatherTimeout+10*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(late) < c.want || c.want == 0 && len(late) > 0 {
				t.Errorf("%d late candidates: %q", len(late), late)
			}
			for _, v := range late {
				if !strings.Contains(v, " typ srflx") {
					t.Errorf("%q", v)
				}
			}
			await(t, r.Connected(), "connected")
		})
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// newSTUNServer answers each binding request with an address of TEST-NET-3 (RFC 8489 14.2).
func newSTUNServer(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for b := make([]byte, 1500); ; {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if n < 20 || !isSTUN(b[:n]) {
				continue
			}
			answer := append([]byte{0x01, 0x01, 0, 12}, b[4:20]...)
			answer = append(answer, 0, 0x20, 0, 8, 0, 1, 0x12^0x21, 0x34^0x12, 203^0x21, 0^0x12, 113^0xa4, 7^0x42)
			_, _ = conn.WriteToUDPAddrPort(answer, from)
		}
	})
	t.Cleanup(func() { _ = conn.Close(); running.Wait() })
	return conn.LocalAddr().String()
}

// B6, C1: a server's counter-offer is answered from the port that reaches other machines, not from that of loopback.
func TestReceiveFromAServer(t *testing.T) {
	e, p := newEngine(t, Options{}), newPublisher(t)
	offer, err := negotiation.ParseOffer(p.offer(t), negotiation.RolePublish)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := negotiation.Accept(offer, negotiation.Wish{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Receive(offer, plan, ReceiveOptions{Loopback: true, Outgoing: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if port := " " + portOf(e.Addr().Port()) + " typ"; strings.Contains(r.Description(), port) {
		t.Errorf("the answer names the port of all media:\n%s", r.Description())
	}
	run(t, r, newGathering())
	(&viewer{PeerConnection: p.PeerConnection}).accept(t, r.Description())
	await(t, r.Connected(), "connected")
}
