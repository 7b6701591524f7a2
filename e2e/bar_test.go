package e2e

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/internal/camera"
)

// barPictures is the length of a bar clip: two seconds at 25 fps.
const barPictures = 50

// barClip has ffmpeg make a clip whose pictures tell their number, by the place of a white bar on black: six columns
// further right in each. The encoder's arguments and the file's ending say what it is coded in.
func barClip(t testing.TB, ending string, encoder ...string) *camera.Clip {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bar"+ending)
	bar := fmt.Sprintf("color=black:s=320x176:r=25[ground];color=white:s=12x176:r=25[bar];[ground][bar]overlay=x=6*n:y=0,trim=end_frame=%d", barPictures)
	args := append([]string{"-v", "error", "-y", "-f", "lavfi", "-i", bar, "-pix_fmt", "yuv420p", "-g", "25", "-threads", "1"}, encoder...)
	if out, err := command("ffmpeg", append(args, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg makes no %s: %v: %s", ending, err, out)
	}
	c, err := camera.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// orderScript is the watcher of the pictures' numbers.
//
//go:embed browser/order.js
var orderScript string

// shownPicture is a picture of a bar clip that a page has shown.
type shownPicture struct {
	At     float64 // ms of the page
	Number int
}

// shown are the pictures that the page has shown since the first call, and the page's time in milliseconds.
func (p *page) shown() (all []shownPicture, now float64) {
	p.t.Helper()
	var out struct {
		Now   float64
		Shown []shownPicture
	}
	p.evaluate(orderScript+"window.sluiceOrder()", &out)
	return out.Shown, out.Now
}

// awaitShown waits until the page has shown a number of pictures, and returns them.
func (p *page) awaitShown(n int) []shownPicture {
	p.t.Helper()
	var all []shownPicture
	p.await(playLimit, func(look) string {
		if all, _ = p.shown(); len(all) < n {
			return fmt.Sprintf("it has shown %d pictures, want %d", len(all), n)
		}
		return ""
	})
	return all
}

// checkOrder wants each picture to be the next of the clip, or one soon after it: a busy browser leaves some out, but
// none may come after a later one. It returns how many steps were to the very next.
func checkOrder(t *testing.T, all []shownPicture) {
	t.Helper()
	next := 0
	for i, s := range all[1:] {
		before := all[i].Number
		step := (s.Number - before + barPictures) % barPictures
		if before < 0 || s.Number < 0 || step > barPictures/4 {
			t.Errorf("picture %d is shown after %d, out of order", s.Number, before)
		}
		if step == 1 {
			next++
		}
	}
	if next < len(all)/2 {
		t.Errorf("%d of %d pictures are followed by the next one, want half at least", next, len(all))
	}
	t.Logf("%d pictures shown, %d of them followed by the very next", len(all), next)
}

// awaitGap waits until the page, at some time after from, has shown pictures again, and returns the longest time
// between two around and after that moment.
func (p *page) awaitGap(from float64, pictures int, limit time.Duration) time.Duration {
	p.t.Helper()
	var after []shownPicture
	eventually(p.t, limit, func() string {
		all, _ := p.shown()
		i := max(0, slices.IndexFunc(all, func(s shownPicture) bool { return s.At > from })-1)
		if after = all[i:]; len(after) < pictures || after[len(after)-1].At < from {
			return fmt.Sprintf("%d pictures have come since, want %d", len(after), pictures)
		}
		return ""
	})
	longest := 0.0
	for i := range after[1:] {
		longest = max(longest, after[i+1].At-after[i].At)
	}
	return time.Duration(longest * float64(time.Millisecond))
}
