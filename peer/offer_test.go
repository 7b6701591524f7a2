package peer

import (
	"errors"
	"testing"

	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
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
			c, err := e.OfferPlay(tracks, PlayOptions{Loopback: true})
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
			received(t, c, v, 100)
			if err := c.Accept(answer, nil); !errors.Is(err, ErrNotOffered) {
				t.Errorf("a second answer: %v", err)
			}
		})
	}
}

// C9: an answer that leaves out what we send is refused, and what can't be carried is not offered.
func TestOfferFaults(t *testing.T) {
	e := newEngine(t, Options{})
	c, err := e.OfferPlay([]media.Track{vp8}, PlayOptions{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Accept("v=0\r\n", nil); !errors.As(err, new(*negotiation.MalformedAnswerError)) {
		t.Errorf("an answer of one line: %v", err)
	}
	_, err = e.OfferPlay([]media.Track{{ID: "video", Kind: media.Video, Codec: media.MJPEG, ClockRate: 90000}}, PlayOptions{})
	if !errors.As(err, new(*UnsupportedCodecError)) {
		t.Errorf("Motion JPEG is offered: %v", err)
	}
}
