package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// moments are stamped in the tests, in milliseconds since 1970.
var moments = []int64{0, 1, 0xFFFFFF, 0x1000000, 0x555555, 0xAAAAAA, 1_795_254_321_987}

func TestStampRoundTrip(t *testing.T) {
	for _, size := range [][2]int{{1280, 720}, {640, 360}, {1920, 1080}, {96, 64}} {
		for _, ms := range moments {
			t.Run(fmt.Sprintf("%dx%d, %d", size[0], size[1], ms), func(t *testing.T) {
				p := newPainter(size[0], size[1])
				frame := p.paint(1, stamp(ms))
				clock, ok := readStamp(frame, size[0], size[1])
				if want := uint32(ms & 0xFFFFFF); !ok || clock != want {
					t.Errorf("read %d and %v, want %d", clock, ok, want)
				}
			})
		}
	}
}

// One bit that is wrong, or two side by side, or a picture of one colour is no stamp.
func TestUnstampRefuses(t *testing.T) {
	for _, ms := range moments {
		good := stamp(ms)
		for bit := range stampBits {
			for _, wrong := range []uint32{1 << bit, 3 << bit} {
				if clock, ok := unstamp(good ^ wrong); ok {
					t.Errorf("%08x is taken for %d", good^wrong, clock)
				}
			}
		}
	}
	for _, bits := range []uint32{0, 0xFFFFFFFF} {
		if _, ok := unstamp(bits); ok {
			t.Errorf("%08x is taken for a stamp", bits)
		}
	}
}

func TestCheckSize(t *testing.T) {
	for name, c := range map[string]struct {
		width, height int
		ok            bool
	}{
		"720p":               {1280, 720, true},
		"360p":               {640, 360, true},
		"the smallest":       {64, 64, true},
		"width without a 32": {1000, 720, false},
		"odd height":         {1280, 721, false},
		"too low":            {1280, 62, false},
		"too narrow":         {32, 64, false},
		"nothing":            {0, 0, false},
		"negative":           {-64, 720, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := checkSize(c.width, c.height); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

// vector is a stamp as the page's script is to read it.
type vector struct {
	Levels []int  `json:"levels"`
	Clock  uint32 `json:"clock"`
}

// The golden file is what the test of the page's script reads, so that both sides hold to the same stamp.
func TestVectorsForThePage(t *testing.T) {
	var all []vector
	for _, ms := range moments {
		v := vector{Clock: uint32(ms & 0xFFFFFF)}
		for i := range stampBits {
			v.Levels = append(v.Levels, int(stamp(ms)>>(stampBits-1-i)&1)*255)
		}
		all = append(all, v)
	}
	got, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "stamps.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(got) != string(want) {
		t.Errorf("%s is not what stamp makes (%v): run with -update and look", golden, err)
	}
}

// The page's script has tests of its own, which Node runs.
func TestScripts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", "--test", "test/stamp.test.js").CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !regexp.MustCompile(`pass [1-9]`).Match(out) {
		t.Errorf("node ran no tests:\n%s", out)
	}
}
