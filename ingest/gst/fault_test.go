package gst_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/hub"
	"sluice/ingest"
	"sluice/internal/testsource"
	"sluice/internal/testworker"
	"sluice/media"
)

const live = "videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=30/1 ! "

// J182: a plugin that fails again and again costs a moment each time. Its stream goes on under the same publisher, with
// pictures that can be decoded, whose times go on too; so does one that ends though nobody asked it to.
func TestPluginThatFails(t *testing.T) {
	p := pool(t, testworker.GST(t))
	for name, text := range map[string]string{
		"fails":               live + "identity error-after=45",
		"ends":                strings.Replace(live, "is-live=true", "is-live=true num-buffers=45", 1) + "identity",
		"ends in bare caps":   "videotestsrc is-live=true num-buffers=45 ! video/x-raw, width=320, height=240, framerate=30/1",
		"fails and is coded":  live + "identity error-after=45 ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse",
		"beside its own sink": live + "tee name=t ! queue ! fakesink  t. ! identity error-after=45",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := testsource.Start(t, source(t, p, text))
			units := r.Units(t, "video", 120) // more than two lives
			if n := len(testsource.Pictures(t, units)); n != 120 {
				t.Errorf("%d of 120 pictures are decoded", n)
			}
			if !slices.IsSortedFunc(units, func(a, b *media.AccessUnit) int { return int(a.PTS - b.PTS) }) {
				t.Error("the times don't go on")
			}
			gaps := 0
			for i := 1; i < len(units); i++ {
				if media.Duration(units[i].PTS-units[i-1].PTS, 90000) > 50*time.Millisecond {
					gaps++
				}
			}
			if took := units[119].Arrived.Sub(units[0].Arrived); gaps < 2 || took > testsource.Patience {
				t.Errorf("%d restarts in %v, want two", gaps, took)
			}
			if n := r.Publications(); n != 1 {
				t.Errorf("published %d times", n)
			}
		})
	}
}

// A plugin that hangs before the first frame is ended, and told of, so that a supervisor may try again.
func TestPluginThatHangs(t *testing.T) {
	p := pool(t, testworker.GST(t))
	err := testsource.Start(t, source(t, p, live+"identity sleep-time=30000000")).Failure(t)
	if err == nil || ingest.IsPermanent(err) || !strings.Contains(err.Error(), "nothing came out of it for 10s") {
		t.Errorf("failed with %v", err)
	}
}

// A picture that changes its size in mid-stream goes on with a keyframe, and each unit says which size it has: a coded
// one passes, a raw one stays in its encoder.
func TestSizeChanges(t *testing.T) {
	const part = "videotestsrc num-buffers=30 ! video/x-raw,width=%d,height=%d,framerate=30/1%s ! c."
	for name, c := range map[string]struct{ coder, end string }{
		"coded": {" ! x264enc tune=zerolatency speed-preset=ultrafast ! h264parse", "h264parse"},
		"raw":   {"", "videoconvert"},
	} {
		t.Run(name, func(t *testing.T) {
			p := pool(t, testworker.GST(t))
			r := testsource.Start(t, source(t, p, "concat name=c ! identity sync=true ! "+c.end+"  "+
				fmt.Sprintf(part+"  "+part, 320, 240, c.coder, 640, 360, c.coder)))
			r.Tracks(t, 1)
			sub, err := r.Stream.Subscribe(media.MainRendition, hub.StartGOP)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			ctx, cancel := context.WithTimeout(t.Context(), testsource.Patience)
			defer cancel()
			var widths []int
			for n := 0; n < 45 || len(widths) < 2 || widths[len(widths)-2] != 320; n++ { // it may begin with the second size
				u, err := sub.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				w := u.Track.Width
				if fresh := len(widths) == 0 || widths[len(widths)-1] != w; fresh {
					widths = append(widths, w)
					if !u.Keyframe || w != 320 && w != 640 {
						t.Errorf("the first picture of width %d is a keyframe: %v", w, u.Keyframe)
					}
				}
			}
		})
	}
}
