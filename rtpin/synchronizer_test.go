package rtpin

import (
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sluice/media"
)

// E47: tracks on two goroutines share a Synchronizer; audio that arrives 300 ms after it was captured goes to
// where video of the same moment is.
func TestTracksOnTwoGoroutines(t *testing.T) {
	sets, key, other := pictures(t)
	shared := NewSynchronizer()
	track := videoTrack(media.H264)
	track.ParameterSets = sets
	video := newHarness(t, Options{Track: track, Sync: shared})
	audio := newHarness(t, Options{Track: audioTrack(media.PCMA, 8000), Sync: shared})
	var all sync.WaitGroup
	feed := func(h *harness, from, to int, rate uint32, payload func(i int) []byte) {
		for i := from; i < to; i++ {
			at := start.Add(time.Duration(i) * 20 * ms)
			p := &rtp.Packet{Header: rtp.Header{
				Version: 2, SequenceNumber: uint16(i), Timestamp: uint32(i) * rate / 50, Marker: true, SSRC: 1,
			}, Payload: payload(i)}
			h.Push(p, at)
			h.Tick(at)
		}
	}
	video.Report(senderReport(wall, 0, 90000), start)
	audio.Report(senderReport(wall.Add(-300*ms), 0, 8000), start)
	all.Go(func() {
		feed(video, 0, 500, 90000, func(i int) []byte {
			if i == 0 {
				return key
			}
			return other
		})
	})
	sound := func(int) []byte { return []byte{1, 2} }
	all.Go(func() { feed(audio, 0, 400, 8000, sound) })
	all.Wait()
	feed(audio, 400, 501, 8000, sound) // long enough to move by 300 ms, however the two ran
	last := audio.units[len(audio.units)-1]
	if got := media.Instant(last.PTS, 8000).Sub(start); len(video.units) != 500 || !near(got, 9700*ms) {
		t.Errorf("%d pictures; sound of 9.7 s is at %v", len(video.units), got)
	}
	if ntp := last.NTP.Sub(wall); !near(ntp, 9700*ms) {
		t.Errorf("NTP time of the last sound is %v after the first report", ntp)
	}
}
