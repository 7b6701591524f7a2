//go:build linux

package main

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// shot is what a camera sends in 4 s, at uneven steps, with the pictures in an order of their own if they are to be
// shown in another one.
func shot(reordered bool) []sent {
	var all []sent
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 120 {
		shown := i
		if reordered && i > 0 && i < 118 { // 0, 3 1 2, 6 4 5
			shown = i + []int{-1, 2, -1}[i%3]
		}
		ticks := uint32(shown*3000) + uint32(random.IntN(360))
		all = append(all, sent{timestamp: ticks, at: start.Add(time.Duration(i) * time.Second / 30)})
	}
	return all
}

// arrivals is what a viewer gets of the pictures from one on: with another origin of time stamps, each after the same time.
func arrivals(all []sent, from int, after time.Duration) []came {
	var seen []came
	for i, s := range all[from:] {
		if i%30 != 17 { // some are lost
			seen = append(seen, came{timestamp: s.timestamp - 4_000_000_000 + uint32(i%3), at: s.at.Add(after)})
		}
	}
	return seen
}

func TestScriptFindsEachPicture(t *testing.T) {
	for name, c := range map[string]struct {
		reordered bool
		after     time.Duration
	}{
		"at once":                  {after: time.Millisecond},
		"three pictures later":     {after: 110 * time.Millisecond},
		"two seconds later":        {after: 2 * time.Second},
		"shown in another order":   {reordered: true, after: 70 * time.Millisecond},
		"before it was even noted": {after: 0},
	} {
		t.Run(name, func(t *testing.T) {
			all := shot(c.reordered)
			seen := arrivals(all, 40, c.after)
			s, err := newScript(all, seen)
			if err != nil {
				t.Fatal(err)
			}
			took := s.took(seen)
			if len(took) != len(seen) || slices.Min(took) != c.after || slices.Max(took) != c.after {
				t.Errorf("%d pictures of %d, from %v to %v", len(took), len(seen), slices.Min(took), slices.Max(took))
			}
		})
	}
}

func TestScriptOfAnotherCamera(t *testing.T) {
	seen := arrivals(shot(false), 40, time.Millisecond)
	random := rand.New(rand.NewPCG(3, 4))
	for i := range seen {
		seen[i].timestamp += uint32(random.IntN(360))
	}
	for name, all := range map[string][]sent{"another": shot(false), "none": nil} {
		if _, err := newScript(all, seen); !errors.Is(err, errNoMatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScriptCountsWhatIsHeld(t *testing.T) {
	all := shot(false)
	for i := range all[60:] {
		all[60+i].at = all[60+i].at.Add(time.Second) // the camera pauses
	}
	end := all[60].at.Add(-time.Millisecond)
	for held := range 4 {
		var seen []came
		for i := range len(all) - held { // each comes when one was sent that is held places behind
			seen = append(seen, came{timestamp: all[i].timestamp, at: all[i+held].at.Add(5 * time.Millisecond)})
		}
		s, err := newScript(all, seen)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.held(seen, end); n != held {
			t.Errorf("%d pictures are held, not %d", n, held)
		}
	}
}

func TestScriptKnowsTheNext(t *testing.T) {
	all := shot(true)
	s := script{sent: slices.SortedFunc(slices.Values(all), func(a, b sent) int { return int(int32(a.timestamp - b.timestamp)) })}
	if next, ok := s.after(came{timestamp: s.sent[7].timestamp}); !ok || next != s.sent[8] {
		t.Errorf("after the eighth comes %+v", next)
	}
	if next, ok := s.after(came{timestamp: s.sent[119].timestamp}); ok {
		t.Errorf("after the last comes %+v", next)
	}
}

// TestSoundTook has packets of 20 ms at 48 kHz that begin 6.5 ms before a unit of 8 kHz, as Opus' do, and come 1 ms
// after that.
func TestSoundTook(t *testing.T) {
	var all []sent
	for i := range 100 {
		all = append(all, sent{timestamp: uint32(i * 160), at: start.Add(time.Duration(i) * 20 * time.Millisecond)})
	}
	const second = 1 << 32
	heard := &sounds{
		picture: &rtcp.SenderReport{NTPTime: 5 * second, RTPTime: 1000 + 90000},        // a second after the camera's beginning
		sound:   &rtcp.SenderReport{NTPTime: 5*second + second/2, RTPTime: 48000 * 10}, // half a second later
	}
	for i := 10; i < 90; i++ {
		begins := time.Duration(i)*20*time.Millisecond - 6500*time.Microsecond
		ts := 48000*10 + int64((begins-1500*time.Millisecond)*48/time.Millisecond)
		heard.seen = append(heard.seen, came{timestamp: uint32(ts), at: start.Add(begins + 7500*time.Microsecond)})
	}
	s := script{offset: 1000}
	took, err := s.soundTook(all, 8000, heard, 48000, start, start.Add(time.Minute))
	if err != nil || len(took) != 80 || slices.Min(took) != 7500*time.Microsecond || slices.Max(took) != slices.Min(took) {
		t.Errorf("%v %v", took, err)
	}
	if _, err := s.soundTook(all, 8000, &sounds{}, 48000, start, start); !errors.Is(err, errNoReports) {
		t.Errorf("without reports: %v", err)
	}
}

func TestEarPutsPicturesTogether(t *testing.T) {
	idr, other := []byte{0x65, 1}, []byte{0x41, 1}
	var e ear
	for _, p := range []struct {
		seq     uint16
		payload []byte
		last    bool
	}{
		{65534, []byte{0x78, 0, 2, 0x67, 1, 0, 2, 0x65, 1}, false},
		{65535, other, true},
		{0, other, true},
		{2, idr, true}, // one is missing
		{3, []byte{0x7c, 0x85, 1}, false},
		{4, []byte{0x7c, 0x05, 1}, true},
	} {
		e.add(&rtp.Packet{Header: rtp.Header{SequenceNumber: p.seq, Timestamp: uint32(p.seq), Marker: p.last}, Payload: p.payload}, start)
	}
	want := []came{
		{timestamp: 65535, at: start, keyframe: true, whole: true},
		{timestamp: 0, at: start, whole: true},
		{timestamp: 2, at: start, keyframe: true},
		{timestamp: 4, at: start, keyframe: true, whole: true},
	}
	if got := e.seen(); !slices.Equal(got, want) {
		t.Errorf("it heard %+v, want %+v", got, want)
	}
	if c, err := e.playable(t.Context(), start.Add(-1), time.Second); err != nil || c.timestamp != 65535 {
		t.Errorf("a viewer can begin with %+v, %v", c, err)
	}
	if _, err := e.playable(t.Context(), start, time.Millisecond); !errors.Is(err, errNothingCame) {
		t.Errorf("of what came later: %v", err)
	}
}

func TestQuantiles(t *testing.T) {
	all := []time.Duration{5, 1, 4, 2, 3}
	if median(all) != 3 || quantile(all, 0.95) != 5 || median([]float64(nil)) != 0 {
		t.Errorf("the median is %v, the 95th percentile %v", median(all), quantile(all, 0.95))
	}
}

func TestJoinLine(t *testing.T) {
	text := "BenchmarkJoin/preroll=true-2  \t   2\t 171554321 ns/op\t        98.00 ms-old\t       171.5 ms-to-picture\n" +
		"BenchmarkJoin/preroll=false \t   2\t 1 ns/op\t  624 ms-old\t  149 ms-to-picture\n"
	found := joinLine.FindAllStringSubmatch(text, -1)
	if len(found) != 2 || !slices.Equal(found[0][1:], []string{"true", "98.00", "171.5"}) || !slices.Equal(found[1][1:], []string{"false", "624", "149"}) {
		t.Errorf("%q", found)
	}
}
