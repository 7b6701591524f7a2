//go:build gstreamer

package main

import (
	"strings"
	"testing"

	"sluice/media"
	"sluice/worker/wire"
)

func probeJob(encoder string, codec media.Codec) wire.Job {
	after := ""
	if codec == media.H264 {
		after = "video/x-h264,profile=constrained-baseline ! h264parse config-interval=-1 ! " + h264 + " ! "
	}
	return wire.Job{
		Role: wire.RoleProbe, Outputs: []wire.Port{{Name: "out", Kind: media.Video, Codec: codec}}, Sandboxed: true,
		Pipeline: "videotestsrc num-buffers=30 pattern=ball ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! " + encoder +
			" ! " + after + "appsink name=out sync=false max-buffers=1 wait-on-eos=false",
	}
}

// probed is the result of a job that ends well. A machine that stands still makes an encoder too slow: that is tried again.
func probed(t *testing.T, job wire.Job) (r wire.ProbeResult) {
	t.Helper()
	for tries := 1; ; tries++ {
		p := run(t, job)
		p.wait(wire.TypeReady)
		m := p.next()
		if m.Type == wire.TypeError && strings.Contains(string(m.Payload), probeLimit.String()) && tries < 5 {
			t.Logf("%s", m.Payload)
			continue
		}
		if m.Type != wire.TypeResult {
			t.Fatalf("the worker says %s %s, want a result", m.Type, firstOf(m.Payload))
		}
		if err := m.Decode(&r); err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func TestProbe(t *testing.T) {
	for encoder, codec := range map[string]media.Codec{
		"x264enc tune=zerolatency speed-preset=superfast": media.H264,
		"openh264enc":       media.H264,
		"vp8enc deadline=1": media.VP8,
	} {
		t.Run(encoder, func(t *testing.T) {
			r := probed(t, probeJob(encoder, codec))
			if r.Frames != 30 || r.Milliseconds <= 0 || r.Milliseconds > 100 || r.BFrames || !r.ForceKey {
				t.Errorf("the result is %+v", r)
			}
			if codec == media.H264 && (len(r.Profile) != 6 || r.Profile[:2] != "42") {
				t.Errorf("the profile is %q, want one of baseline", r.Profile)
			}
		})
	}
}

func TestProbeSeesBFrames(t *testing.T) {
	job := probeJob("x264enc bframes=2 b-adapt=false speed-preset=ultrafast rc-lookahead=0", media.VP8) // no caps of baseline
	if r := probed(t, job); !r.BFrames {
		t.Errorf("the result is %+v, want B-frames", r)
	}
}

// An encoder that is installed need not work.
func TestProbeFails(t *testing.T) {
	for name, c := range map[string]struct {
		encoder string
		want    wire.FaultCode
	}{
		"fails when it starts":  {"avenc_h264_omx", wire.FaultElement},
		"has no device":         {"v4l2convert ! x264enc", wire.FaultMissingElement},
		"fails after 5 frames":  {"identity error-after=5 ! x264enc tune=zerolatency", wire.FaultElement},
		"ends after 5 frames":   {"identity eos-after=5 ! x264enc tune=zerolatency", wire.FaultElement},
		"hangs":                 {"identity sleep-time=30000000 ! x264enc", wire.FaultState},
		"is not installed":      {"nosuchenc", wire.FaultMissingElement},
		"takes other pictures":  {"capsfilter caps=video/x-raw,width=64 ! x264enc", wire.FaultParse},
		"can't give this codec": {"vp8enc", wire.FaultParse},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, probeJob(c.encoder, media.H264))
			f := p.fault()
			if f.Code != c.want {
				t.Errorf("the fault is %+v, want %s", f, c.want)
			}
			if code := p.gone(patience); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
		})
	}
}
