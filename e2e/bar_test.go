package e2e

import (
	_ "embed"
	"fmt"
	"os"
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
	return loadClip(t, barFile(t, ending, encoder...))
}

// changingClip is the bar's clip twice: the second time as other arguments of the encoder have it, without a word of
// that but in the stream itself.
func changingClip(t testing.TB, ending string, encoder []string, then ...string) *camera.Clip {
	t.Helper()
	var data []byte
	for _, args := range [][]string{encoder, append(slices.Clone(encoder), then...)} {
		part, err := os.ReadFile(barFile(t, ending, args...))
		if err != nil {
			t.Fatal(err)
		}
		data = append(data, part...)
	}
	return loadClip(t, testFile(t, "changing"+ending, data))
}

func loadClip(t testing.TB, path string) *camera.Clip {
	t.Helper()
	c, err := camera.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// barImages are the pictures of a bar clip as files of their own: FOLDER/%02d.jpg from 0.
func barImages(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "%02d.jpg")
	makeBar(t, path, "-start_number", "0", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3")
	return path
}

// barFile is barClip's file.
func barFile(t testing.TB, ending string, encoder ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bar"+ending)
	makeBar(t, path, encoder...)
	return path
}

func makeBar(t testing.TB, path string, encoder ...string) {
	t.Helper()
	bar := fmt.Sprintf("color=black:s=320x176:r=25[ground];color=white:s=12x176:r=25[bar];[ground][bar]overlay=x=6*n:y=0,trim=end_frame=%d", barPictures)
	args := append([]string{"-v", "error", "-y", "-f", "lavfi", "-i", bar, "-pix_fmt", "yuv420p", "-g", "25", "-threads", "1"}, encoder...)
	if out, err := command("ffmpeg", append(args, path)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg makes no %s: %v: %s", filepath.Base(path), err, out)
	}
}

// orderScript is the watcher of the pictures' numbers.
//
//go:embed browser/order.js
var orderScript string

// shownPicture is a picture of a bar clip that a page has shown.
type shownPicture struct {
	At     float64 // ms of the page
	Number int
	Time   uint32 // of its packets
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

// barTicks is how long a picture of a bar clip lasts, as RTP counts time.
const barTicks = 90000 / 25

// checkOrder wants each picture that was shown to be later than the one before, and to be the one of the clip that its
// time says. A busy browser leaves pictures out, and may paint the next one already when it is asked for this.
func checkOrder(t *testing.T, all []shownPicture) {
	t.Helper()
	ahead := make([]int, barPictures) // how many pictures are that much further on than the first one's time says: one or none
	next := 0
	for i, s := range all {
		if s.Number < 0 {
			t.Errorf("picture %d has no bar", i)
			continue
		}
		ahead[mod(s.Number-int(s.Time-all[0].Time)/barTicks)]++
		if i == 0 {
			continue
		}
		if before := all[i-1]; int32(s.Time-before.Time) <= 0 {
			t.Errorf("picture %d, of the time %d, is shown after one of %d", i, s.Time, before.Time)
		} else if s.Time-before.Time == barTicks {
			next++
		}
	}
	right := 0
	for i := range ahead {
		right = max(right, ahead[i]+ahead[mod(i+1)])
	}
	t.Logf("%d pictures shown, %d of them followed by the very next, %d where their time says or the next", len(all), next, right)
	if right < len(all)*9/10 {
		t.Errorf("%d of %d pictures are those that their time says, want nine of ten: %v", right, len(all), ahead)
	}
}

// mod is a number of a picture in the clip.
func mod(n int) int { return (n%barPictures + barPictures) % barPictures }

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
