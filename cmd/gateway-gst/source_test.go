//go:build gstreamer

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"sluice/media"
	"sluice/worker/wire"
)

const (
	small = "video/x-raw,width=320,height=240,framerate=30/1"
	drops = "queue leaky=downstream max-size-buffers=4 ! "
)

// sourceJob has encoders for what comes out raw.
func sourceJob(text string, allow ...string) wire.Job {
	return wire.Job{
		Role: wire.RoleSource, Pipeline: text, Allow: allow, Limits: wire.Limits{MaxPixels: 8192 * 4352},
		Encoders: []wire.RawEncoder{
			{
				Kind: media.Video, Chain: drops + "videoconvert ! x264enc name=%s ! h264parse config-interval=-1 ! " + h264,
				Properties: []wire.Property{{Name: "tune", Value: "zerolatency"}, {Name: "speed-preset", Value: "ultrafast"}, {Name: "no-such", Value: "1"}},
				Bitrate:    wire.Control{Property: "bitrate", Unit: 1000},
			},
			{
				Kind: media.Audio, Chain: drops + "audioconvert ! audioresample ! audio/x-raw,rate=48000 ! opusenc name=%s",
				Bitrate: wire.Control{Property: "bitrate", Unit: 1},
			},
		},
	}
}

// tracks collects frames until each of n tracks has had some.
func (p *process) tracks(n, frames int) map[uint8][]wire.Message {
	p.t.Helper()
	got := map[uint8][]wire.Message{}
	for {
		m := p.wait(wire.TypeFrame)
		got[m.Track] = append(got[m.Track], m)
		done := len(got) == n
		for _, f := range got {
			done = done && len(f) >= frames
		}
		if done {
			return got
		}
	}
}

// codecs are those of the tracks in order.
func (p *process) codecs() string {
	var names []string
	for i := range uint8(len(p.caps)) {
		names = append(names, string(p.caps[i].Codec))
	}
	return strings.Join(names, " ")
}

func TestSource(t *testing.T) {
	const (
		video = "videotestsrc is-live=true ! " + small
		audio = "audiotestsrc is-live=true samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2"
		coded = " ! x264enc tune=zerolatency speed-preset=ultrafast"
	)
	for name, c := range map[string]struct{ text, codecs, encoder string }{
		"one element":           {"videotestsrc is-live=true", "h264", "x264enc"},
		"raw picture":           {video, "h264", "x264enc"},
		"raw sound":             {audio, "opus", "opusenc"},
		"raw picture and sound": {video + "  " + audio, "h264 opus", "x264enc"},
		"VP8 and Opus":          {video + " ! vp8enc deadline=1  " + audio + " ! opusenc", "vp8 opus", ""},
		"H264 not parsed":       {video + coded, "h264", ""},
		"H264 parsed":           {video + coded + " ! h264parse", "h264", ""},
		"Motion JPEG":           {video + " ! jpegenc", "mjpeg", ""},
		"MPEG-4":                {video + " ! avenc_mpeg4", "mpeg4", ""},
		"AAC":                   {audio + " ! avenc_aac", "aac", ""},
		"G.711":                 {audio + " ! audioconvert ! audioresample ! mulawenc", "pcmu", ""},
		"packets of RTP":        {video + coded + " ! rtph264pay", "h264", ""},
		"a bin of its own":      {"( " + video + " )", "h264", "x264enc"},
		"a tee":                 {video + " ! tee name=t ! queue ! fakesink  t. ! queue", "h264", "x264enc"},
		"pads that come later":  {video + coded + " ! h264parse ! decodebin", "h264", "x264enc"},
		"named appsinks": {
			audio + " ! opusenc ! appsink name=audio  " + video + coded + " ! h264parse ! appsink name=video", "h264 opus", "",
		},
		"named appsinks and another pad": {video + " ! tee name=t ! queue" + coded + " ! appsink name=video_1  t. ! queue", "h264", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, sourceJob(c.text))
			n := len(strings.Fields(c.codecs))
			for track, frames := range p.tracks(n, 10) {
				checkCaptured(t, frames)
				if frames[0].Flags&wire.Keyframe == 0 {
					t.Errorf("track %d begins without a keyframe", track)
				}
			}
			if got := p.codecs(); got != c.codecs {
				t.Errorf("tracks are %q, want %q", got, c.codecs)
			}
			if p.caps[0].Encoder != c.encoder {
				t.Errorf("the encoder is %q, want %q", p.caps[0].Encoder, c.encoder)
			}
			p.send(&wire.Message{Type: wire.TypeStop})
			if code := p.gone(farewell); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// checkCaptured holds the frames' times to CLOCK_MONOTONIC, to within what a loaded machine is late.
func checkCaptured(t *testing.T, frames []wire.Message) {
	t.Helper()
	last := frames[len(frames)-1]
	if age := time.Duration(monotonic(t) - last.PTS); age < -50*time.Millisecond || age > farewell {
		t.Errorf("track %d: the newest frame is %v old", last.Track, age)
	}
	for i := 1; i < len(frames); i++ {
		if frames[i].PTS <= frames[i-1].PTS {
			t.Errorf("track %d: frame %d is no later than the one before", last.Track, i)
		}
	}
}

// monotonic is CLOCK_MONOTONIC in nanoseconds.
func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano()
}

// Sound and picture of different elements share one clock.
func TestSourceTracksShareOneClock(t *testing.T) {
	p := play(t, sourceJob("videotestsrc is-live=true ! "+small+"  audiotestsrc is-live=true"))
	newest, apart := map[uint8]int64{}, time.Hour
	for began := time.Now(); apart > 200*time.Millisecond && time.Since(began) < patience; { // one of them may come late for a while
		m := p.wait(wire.TypeFrame)
		newest[m.Track] = m.PTS
		if len(newest) == 2 {
			apart = min(apart, time.Duration(newest[0]-newest[1]).Abs())
		}
	}
	if apart > 200*time.Millisecond {
		t.Errorf("what comes of both at a time is %v apart", apart)
	}
}

func TestSourceObeys(t *testing.T) {
	p := play(t, sourceJob("videotestsrc is-live=true pattern=snow ! "+small))
	p.tracks(1, 10)
	p.send(&wire.Message{Type: wire.TypeBitrate, Ext: 100_000})
	p.send(&wire.Message{Type: wire.TypeKeyRequest})
	asked, size := monotonic(t), 0
	for keys, n := 0, 0; n < 60; {
		m := p.wait(wire.TypeFrame)
		if m.Flags&wire.Keyframe != 0 {
			keys++
		}
		if m.PTS < asked { // made before, and not read until now
			continue
		}
		n++
		if n > 30 {
			size += len(m.Payload)
		}
		if n == 30 && keys == 0 {
			t.Error("no keyframe came though one was asked for")
		}
	}
	if kbps := size * 8 / 1000; kbps > 400 { // snow in x264's default of 2048
		t.Errorf("%d kbit/s after 100 were asked for", kbps)
	}
}

// What keeps no time by itself, such as a file, comes in real time all the same.
func TestSourceIsPaced(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "clip.mp4")
	recordFile(t, file)
	for name, text := range map[string]string{
		"test pattern": "videotestsrc ! " + small,
		"file":         "filesrc location=" + file + " ! qtdemux ! h264parse",
		"file, raw":    "filesrc location=" + file + " ! decodebin",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			p := play(t, sourceJob(text, "filesrc"))
			p.tracks(1, 45)
			if took := time.Since(began); took < 1400*time.Millisecond {
				t.Errorf("one and a half seconds of picture came in %v", took)
			}
		})
	}
}

// recordFile writes 90 frames into an MP4 file by a sink.
func recordFile(t *testing.T, file string) {
	t.Helper()
	p := play(t, wire.Job{
		Role: wire.RoleSink, Allow: []string{"filesink"},
		Pipeline: `appsrc name=video is-live=true format=time caps="` + h264 + `" ! h264parse ! mp4mux ! filesink location=` + file,
		Inputs:   []wire.Port{{Name: "video", Kind: media.Video, Codec: media.H264, Caps: h264}},
	})
	for i, f := range clip(t, 90, 320, 240, "ball") {
		p.feed(f, 7777*time.Second+time.Duration(i)*frameTime, 0)
	}
	p.send(&wire.Message{Type: wire.TypeEOS})
	p.wait(wire.TypeEOS)
	if info, err := os.Stat(file); err != nil || info.Size() < 10_000 {
		t.Fatalf("the file is not there or too small: %v", err)
	}
}

// A source that waits for somebody who sends goes on when nobody does.
func TestSourceThatWaits(t *testing.T) {
	job := sourceJob("udpsrc address=127.0.0.1 port=0 ! tsdemux")
	job.Limits.StateSeconds, job.Waits = 1, true
	p := run(t, job)
	for range 3 { // one a second
		p.first(wire.TypeStats)
	}
	p.send(&wire.Message{Type: wire.TypeStop})
	if code := p.gone(patience); code != 0 {
		t.Errorf("exit code %d", code)
	}
	job.Waits = false
	if f := run(t, job).fault(); f.Code != wire.FaultState {
		t.Errorf("one that does not wait ends with %+v", f)
	}
}
