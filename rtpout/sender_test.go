package rtpout_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

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

// hubUnitOf is a unit that nobody has cut yet.
func hubUnitOf(au *media.AccessUnit) *hub.Unit {
	return &hub.Unit{AccessUnit: au, Track: &media.Track{ID: "v", Codec: media.H264}, Count: 1}
}

// F26: no gap in the sequence numbers, whatever was skipped; timestamps follow the PTS over the wrap.
func TestSequenceNumbersAndTimestamps(t *testing.T) {
	const base = math.MaxUint32 - 5000
	s := rtpout.NewSender(7, 96, 90000, 65530, base)
	seq := uint16(65530)
	for _, pts := range []int64{0, 3600, 7200, 900_000, math.MaxUint32 + 10, -90} { // skips and a jump back
		err := s.Send(hubUnit(media.H264, pts, 2000, 20), func(h *rtp.Header, _ []byte) error {
			if h.SequenceNumber != seq || h.Timestamp != uint32(base+pts) || h.SSRC != 7 || h.PayloadType != 96 || h.Version != 2 {
				t.Errorf("PTS %d: %+v, want sequence number %d", pts, *h, seq)
			}
			seq++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.Packets() != 18 {
		t.Errorf("%d packets counted", s.Packets())
	}
}

// The first error of a write ends the unit.
func TestSendEndsAtAnError(t *testing.T) {
	broken, n := errors.New("broken"), 0
	s := rtpout.NewSender(1, 96, 90000, 0, 0)
	err := s.Send(hubUnit(media.H264, 0, 5000), func(*rtp.Header, []byte) error { n++; return broken })
	if !errors.Is(err, broken) || n != 1 {
		t.Errorf("%v after %d packets", err, n)
	}
}

// E48: both times of a report are of one instant, and those of two tracks are of one clock.
func TestReports(t *testing.T) {
	now := time.Now().Add(12345 * time.Millisecond)
	video := rtpout.NewSender(1, 96, 90000, 0, math.MaxUint32)
	audio := rtpout.NewSender(2, 111, 48000, 0, 1000)
	pts := media.PTS(now, 90000)
	var sent uint32
	octets := 0
	err := video.Send(hubUnit(media.H264, pts, 3000), func(h *rtp.Header, b []byte) error {
		sent, octets = h.Timestamp, octets+len(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v, a := video.Report(now), audio.Report(now)
	if v.RTPTime != sent {
		t.Errorf("a unit of this instant has timestamp %d, the report says %d", sent, v.RTPTime)
	}
	if want := uint32(1000 + media.PTS(now, 48000)); a.RTPTime != want {
		t.Errorf("audio: %d, want %d", a.RTPTime, want)
	}
	if v.NTPTime != a.NTPTime {
		t.Errorf("two clocks: %d and %d", v.NTPTime, a.NTPTime)
	}
	seconds := float64(v.NTPTime)/(1<<32) - 2208988800
	if off := seconds - float64(now.UnixNano())/1e9; math.Abs(off) > 1e-3 {
		t.Errorf("the NTP time is %v s off", off)
	}
	if v.SSRC != 1 || v.PacketCount != 3 || v.OctetCount != uint32(octets) {
		t.Errorf("%+v", v)
	}
}

// Once a unit is cut, sending it to one more viewer allocates nothing.
func TestSendingAllocatesNothing(t *testing.T) {
	u := hubUnit(media.H264, 0, 20_000)
	s := rtpout.NewSender(1, 96, 90000, 0, 0)
	write := func(*rtp.Header, []byte) error { return nil }
	n := testing.AllocsPerRun(100, func() {
		if err := s.Send(u, write); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 || s.Packets() == 0 {
		t.Errorf("%v allocations for %d packets", n, s.Packets())
	}
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
