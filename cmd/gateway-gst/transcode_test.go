//go:build gstreamer

package main

import (
	"fmt"
	"testing"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

const (
	h264   = "video/x-h264,stream-format=byte-stream,alignment=au"
	source = `appsrc name=in is-live=true format=time caps="` + h264 + `" ! `
	sink   = " ! h264parse config-interval=-1 ! " + h264 + " ! appsink name=out sync=false"
	x264   = "x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=1000"
)

// record makes coded frames of a text that ends in what is coded.
func record(t testing.TB, text string) []wire.Message {
	t.Helper()
	p := run(t, wire.Job{
		Role: wire.RoleTranscode, Pipeline: text + sink, Outputs: []wire.Port{{Name: "out", Kind: media.Video, Codec: media.H264}},
	})
	var frames []wire.Message
	for {
		m := p.next()
		switch m.Type {
		case wire.TypeFrame:
			frames = append(frames, m)
		case wire.TypeError:
			if len(frames) == 0 {
				t.Fatalf("nothing was recorded: %s", m.Payload)
			}
			return frames
		}
	}
}

// clip is n frames of H264.
func clip(t testing.TB, n, width, height int, pattern string) []wire.Message {
	t.Helper()
	return record(t, fmt.Sprintf("videotestsrc num-buffers=%d pattern=%s ! video/x-raw,format=I420,width=%d,height=%d,framerate=30/1 ! %s bitrate=4000",
		n, pattern, width, height, "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=1000"))
}

func transcoder(text string) wire.Job {
	return wire.Job{
		Role: wire.RoleTranscode, Pipeline: text, Preroll: true, Sandboxed: true,
		Inputs:   []wire.Port{{Name: "in", Kind: media.Video, Codec: media.H264, Caps: h264}},
		Outputs:  []wire.Port{{Name: "out", Kind: media.Video, Codec: media.H264}},
		Controls: []wire.Control{{Element: "encoder", Property: "bitrate", Unit: 1000}},
		Limits:   wire.Limits{MaxPixels: 8192 * 4352, Files: 256},
	}
}

// feed sends a frame at a time.
func (p *process) feed(m wire.Message, pts time.Duration, flags wire.Flags) {
	p.t.Helper()
	m.PTS, m.DTS, m.Flags = int64(pts), int64(pts), m.Flags&wire.Keyframe|flags
	p.send(&m)
}

const frameTime = time.Second / 30

// Every frame comes out before the next goes in, at the time that it went in with.
func TestTranscodeHoldsNothing(t *testing.T) {
	frames := clip(t, 60, 1280, 720, "smpte")
	for name, c := range map[string]struct {
		middle string
		base   time.Duration
	}{
		"from zero":     {"avdec_h264 thread-type=slice ! videoconvert ! " + x264, 0},
		"late":          {"avdec_h264 thread-type=slice ! videoconvert ! " + x264, 12_345_678_900 * time.Millisecond},
		"openh264":      {"openh264dec ! openh264enc name=encoder", 90 * time.Minute},
		"scaled to 360": {"avdec_h264 thread-type=slice ! videoscale ! video/x-raw,width=640,height=360 ! " + x264, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, transcoder(source+"h264parse ! "+c.middle+sink))
			for i, f := range frames {
				want := c.base + time.Duration(i)*frameTime
				p.feed(f, want, 0)
				got := p.wait(wire.TypeFrame)
				if d := time.Duration(got.PTS) - want; d.Abs() > time.Microsecond {
					t.Fatalf("frame %d comes out %v off", i, d)
				}
				if key := got.Flags&wire.Keyframe != 0; key != (i == 0) {
					t.Errorf("frame %d: keyframe is %v", i, key)
				}
			}
			if caps := p.caps[0]; caps.Codec != media.H264 || caps.Width == 0 || caps.Encoder == "" {
				t.Errorf("caps are %+v", caps)
			}
			p.send(&wire.Message{Type: wire.TypeEOS})
			p.wait(wire.TypeEOS)
			p.send(&wire.Message{Type: wire.TypeStop})
			if code := p.gone(farewell); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestKeyframeOnRequest(t *testing.T) {
	frames := clip(t, 40, 640, 360, "ball")
	for name, encoder := range map[string]string{
		"x264enc":     x264,
		"openh264enc": "openh264enc name=encoder gop-size=1000",
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, transcoder(source+"avdec_h264 ! videoconvert ! "+encoder+sink))
			var keys []int
			for i, f := range frames {
				if i == 20 {
					p.send(&wire.Message{Type: wire.TypeKeyRequest})
				}
				p.feed(f, time.Duration(i)*frameTime, 0)
				if m := p.wait(wire.TypeFrame); m.Flags&wire.Keyframe != 0 {
					keys = append(keys, i)
				}
			}
			if fmt.Sprint(keys) != "[0 20]" {
				t.Errorf("keyframes are %v, want [0 20]", keys)
			}
		})
	}
}

func TestBitrateAtRunTime(t *testing.T) {
	frames := clip(t, 150, 320, 240, "snow")
	p := play(t, transcoder(source+"avdec_h264 ! videoconvert ! "+x264+" bitrate=2000"+sink))
	var before, after int
	for i, f := range frames {
		if i == 60 {
			p.send(&wire.Message{Type: wire.TypeBitrate, Ext: 300_000})
		}
		p.feed(f, time.Duration(i)*frameTime, 0)
		switch m := p.wait(wire.TypeFrame); {
		case i >= 30 && i < 60:
			before += len(m.Payload)
		case i >= 120:
			after += len(m.Payload)
		}
	}
	if kbps := before * 8 / 1000; kbps < 1500 || kbps > 2500 {
		t.Errorf("%d kbit/s before, want about 2000", kbps)
	}
	if kbps := after * 8 / 1000; kbps > 450 {
		t.Errorf("%d kbit/s after, want about 300", kbps)
	}
}

// The picture's size changes, as its parameter sets tell.
func TestSizeChangesWithinStream(t *testing.T) {
	small, large := clip(t, 10, 320, 240, "ball"), clip(t, 10, 640, 480, "ball")
	p := play(t, transcoder(source+"h264parse ! avdec_h264 ! videoconvert ! "+x264+sink))
	for i, f := range append(small[:10:10], large...) {
		p.feed(f, time.Duration(i)*frameTime, 0)
		m := p.wait(wire.TypeFrame)
		if want := 320 * (1 + i/10); p.caps[0].Width != want {
			t.Fatalf("frame %d is %d wide, want %d", i, p.caps[0].Width, want)
		}
		if i == 10 && m.Flags&wire.Keyframe == 0 {
			t.Error("the first frame of another size is no keyframe")
		}
	}
}

// A GOP is replayed to get at its last picture: what comes out begins with the first live one, which is a keyframe.
func TestPreroll(t *testing.T) {
	frames := clip(t, 60, 640, 360, "ball")
	for name, middle := range map[string]string{
		"x264enc":     "avdec_h264 thread-type=slice ! videoconvert ! " + x264,
		"openh264enc": "openh264dec ! openh264enc name=encoder",
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t, transcoder(source+"h264parse ! "+middle+sink))
			base := 1000 * time.Second
			for i, f := range frames[:50] {
				p.feed(f, base+time.Duration(i)*frameTime, wire.Preroll)
			}
			for i, f := range frames[50:] {
				want := base + time.Duration(50+i)*frameTime
				p.feed(f, want, 0)
				m := p.wait(wire.TypeFrame)
				if d := time.Duration(m.PTS) - want; d.Abs() > time.Microsecond {
					t.Fatalf("live frame %d comes out %v off", i, d)
				}
				if key := m.Flags&wire.Keyframe != 0; key != (i == 0) {
					t.Errorf("live frame %d: keyframe is %v", i, key)
				}
			}
		})
	}
}

// 20 ms of G.711 each go in; the same come out as Opus.
func TestTranscodeSound(t *testing.T) {
	p := play(t, wire.Job{
		Role: wire.RoleTranscode,
		Pipeline: "appsrc name=in is-live=true format=time ! mulawdec ! audioconvert ! audioresample ! opusenc name=encoder frame-size=20 " +
			"! appsink name=out sync=false",
		Inputs:  []wire.Port{{Name: "in", Kind: media.Audio, Codec: media.PCMU, Caps: "audio/x-mulaw,rate=8000,channels=1"}},
		Outputs: []wire.Port{{Name: "out", Kind: media.Audio, Codec: media.Opus}},
	})
	const packet = 20 * time.Millisecond
	base := 5000 * time.Second
	for i := range 60 {
		p.feed(wire.Message{Type: wire.TypeFrame, Ext: int64(packet), Payload: make([]byte, 160)}, base+time.Duration(i)*packet, 0)
	}
	for i := range 50 {
		m := p.wait(wire.TypeFrame)
		// It begins 6.5 ms early: what the encoder looks ahead.
		if d := time.Duration(m.PTS) - base - time.Duration(i)*packet; d < -7*time.Millisecond || d > time.Millisecond {
			t.Fatalf("packet %d comes out %v off", i, d)
		}
		if m.Flags&wire.Keyframe == 0 {
			t.Errorf("packet %d is no keyframe, as all sound is", i)
		}
	}
	if c := p.caps[0]; c.Codec != media.Opus || c.ClockRate != 48000 || c.Kind != media.Audio {
		t.Errorf("caps are %+v", c)
	}
}

// What hangs eats no more memory than it may, and goes on at a keyframe.
func TestInputOverflows(t *testing.T) {
	frames := clip(t, 2, 320, 240, "black")
	p := play(t, transcoder(source+"identity sleep-time=30000000 ! avdec_h264 ! videoconvert ! "+x264+sink))
	for i := range maxQueuedFrames + 100 {
		p.feed(frames[min(i, 1)], time.Duration(i)*frameTime, 0)
	}
	for {
		var s wire.Stats
		m := p.first(wire.TypeStats)
		if err := m.Decode(&s); err != nil {
			t.Fatal(err)
		}
		if s.In+s.Dropped < maxQueuedFrames+100 {
			continue
		}
		if s.Dropped < 90 || s.Queue > maxQueuedFrames || s.RSS == 0 || s.CPU == 0 {
			t.Errorf("statistics are %+v", s)
		}
		return
	}
}
