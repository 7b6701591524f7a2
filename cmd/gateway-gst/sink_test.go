//go:build gstreamer

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

// Told to stop, a sink finishes its file.
func TestSinkFinishes(t *testing.T) {
	frames := clip(t, 60, 320, 240, "ball")
	missing := finish(t, frames)
	for tries := 1; missing != "" && tries < 3; tries++ { // it has little time, in which the machine may stand still
		t.Logf("the file has no %q", missing)
		missing = finish(t, frames)
	}
	if missing != "" {
		t.Errorf("the file has no %q", missing)
	}
}

// finish has a sink write pictures, and silence, into a file until it is told to stop, and returns what the file lacks.
func finish(t *testing.T, frames []wire.Message) (missing string) {
	t.Helper()
	const appsrc = "appsrc name=%s is-live=true format=time "
	video := wire.Port{Name: "video", Kind: media.Video, Codec: media.H264, Caps: h264}
	audio := wire.Port{Name: "audio", Kind: media.Audio, Codec: media.Opus, Caps: "audio/x-opus,channel-mapping-family=0,rate=48000,channels=2"}
	file := filepath.Join(t.TempDir(), "out.mkv")
	p := play(t, wire.Job{
		Role: wire.RoleSink, Inputs: []wire.Port{video, audio}, Allow: []string{"filesink"},
		Pipeline: fmt.Sprintf(appsrc, "video") + fmt.Sprintf(appsrc, "audio") +
			"video. ! h264parse ! m.  audio. ! opusparse ! m.  matroskamux name=m ! filesink location=" + file,
	})
	for i, f := range frames {
		p.feed(f, time.Hour+time.Duration(i)*frameTime, 0)
		silence := wire.Message{Type: wire.TypeFrame, Track: 1, Payload: []byte{0xfc, 0xff, 0xfe}}
		p.feed(silence, time.Hour+time.Duration(i)*20*time.Millisecond, 0)
	}
	p.send(&wire.Message{Type: wire.TypeStop})
	if code := p.gone(farewell); code != 0 {
		t.Errorf("exit code %d", code)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cues := string([]byte{0x1c, 0x53, 0xbb, 0x6b}) // the index, which is written last
	for _, want := range []string{"V_MPEG4/ISO/AVC", "A_OPUS", cues} {
		if !bytes.Contains(b, []byte(want)) {
			return want
		}
	}
	return ""
}

// What waits for the time of a frame, as sinks of the network do, gets it now.
func TestSinkPlaysAtOnce(t *testing.T) {
	p := play(t, wire.Job{
		Role: wire.RoleSink, Pipeline: "appsrc name=video format=time ! h264parse ! fakesink sync=true",
		Inputs: []wire.Port{{Name: "video", Kind: media.Video, Codec: media.H264, Caps: h264}},
	})
	for i, f := range clip(t, 30, 320, 240, "ball") {
		p.feed(f, 40*time.Hour+time.Duration(i)*frameTime, 0)
	}
	began := time.Now()
	p.send(&wire.Message{Type: wire.TypeEOS})
	p.wait(wire.TypeEOS)
	if took := time.Since(began); took > farewell {
		t.Errorf("a second of picture of 40 hours later took %v", took)
	}
}
