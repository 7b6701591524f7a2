package rtpout_test

import (
	"math"
	"sync"
	"testing"

	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

func hubUnit(codec media.Codec, pts int64, sizes ...int) *hub.Unit {
	au := unitOf(codec, true, sizes...)
	au.PTS = pts
	return &hub.Unit{AccessUnit: au, Track: &media.Track{ID: "v", Codec: codec}, Count: 1}
}

// F26: no gap in the sequence numbers, whatever was skipped; timestamps follow the PTS over the wrap.
func TestSequenceNumbersAndTimestamps(t *testing.T) {
	const base = math.MaxUint32 - 5000
	s := rtpout.NewSender(7, 96, 90000, 65530, base)
	seq := 65530
	for _, pts := range []int64{0, 3600, 7200, 900_000, math.MaxUint32 + 10, -90} { // skips and a jump back
		for _, p := range packets(t, s, hubUnit(media.H264, pts, 2000, 20)) {
			if p.SequenceNumber != uint16(seq) || p.Timestamp != uint32(base+pts) || p.SSRC != 7 || p.PayloadType != 96 || p.Version != 2 {
				t.Errorf("PTS %d: %+v, want sequence number %d", pts, p.Header, seq)
			}
			seq++
		}
	}
	if seq != 65530+18 {
		t.Errorf("%d packets", seq-65530)
	}
}

func packets(t testing.TB, s *rtpout.Sender, u *hub.Unit) []*rtp.Packet {
	t.Helper()
	all, err := s.Cut(u)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d packets, %v", len(all), err)
	}
	return all
}

// Readers that come at once all get the same payloads.
func TestPayloadsAreShared(t *testing.T) {
	for range 100 {
		u := hubUnit(media.H264, 0, 5000)
		got := make([][]rtpout.Payload, 8)
		var readers sync.WaitGroup
		for i := range got {
			readers.Go(func() { got[i] = rtpout.Payloads(u) })
		}
		readers.Wait()
		for i := range got {
			if &got[i][0] != &got[0][0] {
				t.Fatalf("reader %d has payloads of its own", i)
			}
		}
	}
}
