package peer

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// layers is a publisher of several layers of one picture, as OBS sends them: their SSRCs stand in no offer, and every
// packet bears its section's mid and its layer's RID.
type layers struct {
	*publisher
	tracks   map[string]*webrtc.TrackLocalStaticRTP // by RID
	mid, rid uint8                                  // header extension ids
}

func newLayers(t testing.TB, rids ...string) *layers {
	t.Helper()
	p := newSoundPublisher(t)
	l := &layers{publisher: p, tracks: map[string]*webrtc.TrackLocalStaticRTP{}}
	var sender *webrtc.RTPSender
	for i, rid := range rids {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
			"layers", "s", webrtc.WithRTPStreamID(rid))
		if err != nil {
			t.Fatal(err)
		}
		l.tracks[rid] = track
		if i > 0 {
			if err := sender.AddEncoding(track); err != nil {
				t.Fatal(err)
			}
			continue
		}
		transceiver, err := p.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			t.Fatal(err)
		}
		sender = transceiver.Sender()
		go p.readFeedback(sender)
	}
	return l
}

func (l *layers) accept(t testing.TB, answer string) {
	t.Helper()
	l.publisher.accept(t, answer)
	for _, v := range values(answer, "extmap") {
		id, uri, _ := strings.Cut(v, " ")
		n, err := strconv.Atoi(id)
		if err != nil {
			t.Fatal(err)
		}
		switch uri {
		case "urn:ietf:params:rtp-hdrext:sdes:mid":
			l.mid = uint8(n)
		case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
			l.rid = uint8(n)
		}
	}
}

// send sends one picture of each of the layers.
func (l *layers) send(t testing.TB, mid string, seq uint16, rids ...string) {
	t.Helper()
	for _, rid := range rids {
		p := vp8Packet(seq, uint32(seq)*1800, seq%10 == 0)
		if p.SetExtension(l.mid, []byte(mid)) != nil || p.SetExtension(l.rid, []byte(rid)) != nil {
			t.Fatal("no header extensions")
		}
		if track := l.tracks[rid]; track != nil {
			_ = track.WriteRTP(p)
		}
	}
}

// A58: each layer that the offer has is answered and comes as a track of its own, whatever the order of arrival; a
// keyframe is asked of the layer that it is wanted of.
func TestSimulcast(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newLayers(t, "0", "1", "2"), newGathering()
	r := receive(t, e, p.offer(t))
	run(t, r, g)
	if !strings.Contains(r.Description(), "a=simulcast:recv 0;1;2\r\n") {
		t.Errorf("the answer does not take all layers:\n%s", r.Description())
	}
	p.accept(t, r.Description())
	await(t, r.Connected(), "connected")
	mid := videoMID(r.Description())
	missing := map[string]bool{"0/video": true, "1/video": true, "2/video": true}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for seq := uint16(0); len(missing) > 0; seq++ {
		p.send(t, mid, seq, "2", "0", "1")
		select {
		case k := <-g.got:
			delete(missing, k)
		case <-tick.C:
		case <-end:
			t.Fatalf("no unit of %v", missing)
		}
	}
	r.RequestKeyframe("0")
	wantPLI(t, p.publisher)
}

func wantPLI(t *testing.T, p *publisher) {
	t.Helper()
	for end := time.After(patience); ; {
		select {
		case f := <-p.feedback:
			if _, ok := f.(*rtcp.PictureLossIndication); ok {
				return
			}
		case <-end:
			t.Fatal("no PLI came")
		}
	}
}

// videoMID is the mid of an SDP's video section.
func videoMID(sdp string) string {
	_, video, _ := strings.Cut(sdp, "m=video")
	return values("m=video"+video, "mid")[0]
}
