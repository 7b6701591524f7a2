//go:build linux

package load

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// TestJoin has viewers watch a server made of pion's PeerConnection, in both roles of DTLS: as its server a viewer
// picks the profile that Chromium would, as its client it takes what the server picks.
func TestJoin(t *testing.T) {
	for name, c := range map[string]struct {
		role webrtc.DTLSRole
		gro  bool
		want string
	}{
		"the server opens DTLS":   {webrtc.DTLSRoleClient, false, "CM-SHA1-80"},
		"the server waits for it": {webrtc.DTLSRoleServer, true, "GCM-256"},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := serve(t, c.role)
			l := run(t, Options{GRO: c.gro})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			v, err := l.Join(ctx, endpoint)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Stamp(); err != nil {
				t.Fatal(err)
			}
			until(ctx, t, "a keyframe", func() bool { _, ok := v.Keyframe(); return ok })
			until(ctx, t, "packets", func() bool { return v.Count().Packets > 20 })
			if got := v.Profile(); got != c.want {
				t.Errorf("the profile is %q, want %q", got, c.want)
			}
			if n := v.Count(); n.Missing != 0 || n.Bytes < 20*n.Packets {
				t.Errorf("counted %+v", n)
			}
			if drops, err := Drops([]*Viewer{v}); err != nil || drops != 0 {
				t.Errorf("%d dropped, %v", drops, err)
			}
			pictures, err := v.Pictures()
			if err != nil || len(pictures) == 0 {
				t.Fatalf("%d pictures, %v", len(pictures), err)
			}
			if ago := time.Since(time.Unix(0, pictures[0].At)); ago < 0 || ago > 30*time.Second {
				t.Errorf("a picture came %v ago", ago)
			}
			if err := v.Leave(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefusalIsTold(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	_, err := run(t, Options{}).Join(t.Context(), s.URL)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter != "3" {
		t.Errorf("got %v", err)
	}
}

// run runs a Load until the test ends.
func run(t *testing.T, o Options) *Load {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	return l
}

func until(ctx context.Context, t *testing.T, what string, is func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("no %s came", what)
		}
	}
}

// serve is a WHEP endpoint that sends a keyframe of two packets again and again.
func serve(t *testing.T, role webrtc.DTLSRole) string {
	t.Helper()
	media, settings := &webrtc.MediaEngine{}, webrtc.SettingEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if err := settings.SetAnsweringDTLSRole(role); err != nil {
		t.Fatal(err)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	c, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000}, "video", "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddTrack(track); err != nil {
		t.Fatal(err)
	}
	sending, stop := context.WithCancel(context.Background())
	sent := make(chan struct{})
	go func() { defer close(sent); send(sending, track) }()
	s := httptest.NewServer(answering(t, c))
	t.Cleanup(func() {
		s.Close()
		stop()
		<-sent
		if err := c.GracefulClose(); err != nil {
			t.Error(err)
		}
	})
	return s.URL
}

func send(ctx context.Context, track *webrtc.TrackLocalStaticRTP) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for seq := uint16(65530); ; seq += 2 {
		at := uint32(seq) * 1500
		first := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: at}, Payload: []byte{0x7c, 0x85, 1}}
		last := &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq + 1, Timestamp: at, Marker: true}, Payload: []byte{0x7c, 0x45, 1}}
		if errors.Join(track.WriteRTP(first), track.WriteRTP(last)) != nil {
			return
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

func answering(t *testing.T, c *webrtc.PeerConnection) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			return
		}
		offer, err := io.ReadAll(r.Body)
		if err == nil {
			err = c.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(offer)})
		}
		answer, answerErr := c.CreateAnswer(nil)
		gathered := webrtc.GatheringCompletePromise(c)
		if err := errors.Join(err, answerErr, c.SetLocalDescription(answer)); err != nil {
			t.Error(err)
			return
		}
		<-gathered
		w.Header().Set("Location", "/session")
		w.WriteHeader(http.StatusCreated)
		if _, err := io.WriteString(w, c.LocalDescription().SDP); err != nil {
			t.Error(err)
		}
	}
}
