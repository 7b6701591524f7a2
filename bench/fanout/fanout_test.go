//go:build linux

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/bench/load"
)

func TestFindGoroutines(t *testing.T) {
	for text, want := range map[string]float64{
		"# TYPE go_goroutines gauge\ngo_goroutines 12\n": 12,
		"goroutine profile: total 34\n":                  34,
		"nothing of the kind":                            0,
	} {
		if got, ok := findGoroutines(strings.NewReader(text)); got != want || ok != (want > 0) {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
}

func TestPlaceFillsIn(t *testing.T) {
	dir := t.TempDir()
	s, err := server{
		Name: "x", Command: []string{"x", "{config}"}, Config: []string{"at {http}", "of {source}"},
		WHEP: "http://127.0.0.1:{http}/", Goroutines: "{admin}",
	}.place(dir, "rtsp://cam")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir + "/config")
	if err != nil {
		t.Fatal(err)
	}
	port := strings.TrimSuffix(strings.TrimPrefix(s.WHEP, "http://127.0.0.1:"), "/")
	if want := "at " + port + "\nof rtsp://cam\n"; string(text) != want || s.Command[1] != dir+"/config" || s.Goroutines == "{admin}" {
		t.Errorf("placed %+v with %q", s, text)
	}
}

// TestMatchFindsEachPicture has a server whose timestamps begin elsewhere, and that holds pictures longer than the
// time between two.
func TestMatchFindsEachPicture(t *testing.T) {
	for name, hold := range map[string]time.Duration{"at once": time.Millisecond, "for three pictures": 110 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			var source []sent
			var came []load.Picture
			for i := range 100 {
				size, at := 5000+i*i%1777, int64(i)*int64(time.Second/30)
				source = append(source, sent{timestamp: uint32(i) * 3000, bytes: size, at: at})
				if i >= 50 && i != 60 { // one is lost
					came = append(came, load.Picture{Timestamp: uint32(i)*3000 - 77, Bytes: size + 200, At: at + int64(hold)})
				}
			}
			took := match(source, came)
			if len(took) != len(came) || slices.Min(took) != hold || slices.Max(took) != hold {
				t.Errorf("%d pictures of %d, each took %v", len(took), len(came), took)
			}
		})
	}
}

func TestMatchOfNothing(t *testing.T) {
	if took := match(nil, []load.Picture{{At: 1}}); took != nil {
		t.Errorf("pictures that nobody sent took %v", took)
	}
}

func TestTableRatiosAndMemory(t *testing.T) {
	of := func(cpu time.Duration, packets uint64, kib float64) figures {
		f := figures{cpu: cpu, memory: kib}
		f.counted.Packets = packets
		return f
	}
	tb := newTable()
	tb.add(key{"a", 0}, of(0, 0, 1000), nil)
	for _, cpu := range []time.Duration{5 * time.Second, 2 * time.Second, 4 * time.Second} { // the median is 4
		tb.add(key{"a", 10}, of(cpu, 1000, 1500), nil)
		tb.add(key{"b", 10}, of(time.Second, 1000, 0), nil)
	}
	if r, ok := tb.ratio(key{"a", 10}, key{"b", 10}); !ok || r != 4 {
		t.Errorf("the ratio is %v", r)
	}
	if kib := tb.perViewer("a", 10, func(f figures) float64 { return f.memory }); kib != 50 {
		t.Errorf("a viewer takes %v KiB", kib)
	}
	if _, ok := tb.ratio(key{"a", 10}, key{"c", 10}); ok {
		t.Error("there is a ratio to what has not been measured")
	}
}
