package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
)

// metric is the sum of a metric's samples.
func (g *gatewayProcess) metric(t *testing.T, name string) int {
	t.Helper()
	_, text := g.get(t, "metrics")
	sum := 0
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\d+)$`).FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		sum += n
	}
	return sum
}

// flood sends feedback of a viewer's at a pace, for a time.
func (v *viewer) flood(t *testing.T, every, length time.Duration, feedback func() rtcp.Packet) {
	t.Helper()
	pace, end := time.NewTicker(every), time.After(length)
	defer pace.Stop()
	for {
		select {
		case <-end:
			return
		case <-pace.C:
			if err := v.connection.WriteRTCP([]rtcp.Packet{feedback()}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const floodTime = 5 * time.Second

// TestKeyframeFlood has a viewer ask for a keyframe a thousand times a second: the publisher is asked twice at most,
// and others watch on.
//
// Proves J122 and B12 on the fast way.
func TestKeyframeFlood(t *testing.T) {
	t.Parallel()
	g := startGateway(t, publishConfig("studio"))
	p := publishWithPion(t, g.whip("studio"), pionOptions{})
	g.awaitState(t, "studio", "ready", answerLimit)
	v, other := g.watch(t, "studio"), g.watch(t, "studio")
	v.awaitFrames(t, 10)
	other.awaitFrames(t, 10)
	g.checkWay(t, "studio", "")
	ssrc := v.snapshot(media.Video).packets[0].SSRC
	before, wishes, began := p.keyframeRequests(t), g.metric(t, "sluice_stream_keyframe_wishes_total"), time.Now()
	v.flood(t, time.Millisecond, floodTime, func() rtcp.Packet { return &rtcp.PictureLossIndication{MediaSSRC: ssrc} })
	asked, most := p.keyframeRequests(t)-before, 2*int(time.Since(began)/time.Second+2) // some may have been under way
	wishes = g.metric(t, "sluice_stream_keyframe_wishes_total") - wishes
	t.Logf("of %d wishes in %v the publisher heard %d", wishes, time.Since(began).Round(time.Millisecond), asked)
	if asked == 0 || asked > most || wishes < 10*most {
		t.Errorf("of %d wishes the publisher heard %d, want 1 to %d", wishes, asked, most)
	}
	other.awaitFramesMore(t, 25)
	other.awaitFrames(t, 100)
	other.close()
	other.checkVideo(t, media.H264, 100)
}

// TestResendFlood has a viewer ask for all that it has got once more, a hundred times a second: it gets a fifth of it at
// most beside what it is sent, and a burst; others watch on.
//
// Proves J123 and B13 on the fast way.
func TestResendFlood(t *testing.T) {
	t.Parallel()
	const burst = 128 << 10 // bytes that may be sent again beyond the fifth
	g := startGateway(t, fmt.Sprintf("streams.door.source = %q\n", startCameraOf(t, media.H264)))
	g.awaitState(t, "door", "ready", cameraLimit)
	v, other := g.watch(t, "door"), g.watch(t, "door")
	v.awaitFrames(t, 50)
	other.awaitFrames(t, 10)
	g.checkWay(t, "door", "")
	v.flood(t, 10*time.Millisecond, floodTime, v.nackAll)
	sent, again := v.bytes()
	t.Logf("%d bytes were sent, and %d again; %d packets were asked for", sent, again, g.metric(t, "sluice_stream_resends_total"))
	if again == 0 || again > sent/5+burst {
		t.Errorf("%d bytes were sent, and %d again, want at most %d", sent, again, sent/5+burst)
	}
	if g.metric(t, "sluice_stream_resends_refused_total") == 0 {
		t.Error("the metrics count no refused resend")
	}
	other.awaitFramesMore(t, 25)
	other.awaitFrames(t, 100)
	other.close()
	other.checkVideo(t, media.H264, 100)
}

// nackAll asks for the last packets of video that have come: as many as one NACK packet of the usual size names.
func (v *viewer) nackAll() rtcp.Packet {
	packets := v.snapshot(media.Video).packets
	newest := packets[len(packets)-1]
	nack := &rtcp.TransportLayerNack{MediaSSRC: newest.SSRC}
	for i := range uint16(64) {
		nack.Nacks = append(nack.Nacks, rtcp.NackPair{PacketID: newest.SequenceNumber - 17*(i+1), LostPackets: 0xffff})
	}
	return nack
}

// bytes is how much payload of video has come for the first time, and how much once more.
func (v *viewer) bytes() (first, again int) {
	seen := make(map[uint16]bool)
	for _, p := range v.snapshot(media.Video).packets {
		if seen[p.SequenceNumber] {
			again += len(p.Payload)
		} else {
			first += len(p.Payload)
		}
		seen[p.SequenceNumber] = true
	}
	return first, again
}
