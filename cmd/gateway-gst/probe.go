//go:build gstreamer

package main

import (
	"encoding/hex"
	"time"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

const (
	// probeLimit bounds a trial that neither succeeds nor fails.
	probeLimit = 3 * time.Second
	// probeKeyAfter is how many frames come before the keyframe that is asked for: an encoder begins with one anyway.
	probeKeyAfter = 10
	spsType       = 7 // nal_unit_type of an SPS (H.264 7.4.1)
)

// trial is what has been seen of an encoder so far.
type trial struct {
	codec   media.Codec
	result  wire.ProbeResult
	newest  time.Duration // PTS
	settled time.Time     // when the first frame came: what the encoder sets up is not counted
}

// probe pulls all that the pipeline makes, tells the gateway what it has seen and ends the pipeline's work.
func (w *worker) probe() {
	time.AfterFunc(probeLimit, func() {
		w.fail(&wire.Fault{Code: wire.FaultState, Message: "the encoder took longer than " + probeLimit.String()})
	})
	if len(w.outputs) == 0 {
		w.fail(&wire.Fault{Code: wire.FaultNoOutput, Permanent: true})
		return
	}
	sink := w.outputs[0].sink
	t := trial{codec: w.job.Outputs[0].Codec, result: wire.ProbeResult{Element: w.outputs[0].encoder}}
	var f gst.Frame
	for sink.Pull(&f) {
		t.look(&f)
		f.Release()
		w.counts.out.Add(1)
		if t.result.Frames == probeKeyAfter {
			sink.ForceKey()
		}
	}
	if t.result.Frames <= probeKeyAfter {
		time.AfterFunc(reasonWait, func() {
			w.fail(&wire.Fault{Code: wire.FaultElement, Element: w.outputs[0].encoder, Message: "the encoder stopped early"})
		})
		return
	}
	w.send(wire.JSON(wire.TypeResult, t.result))
}

// look takes note of a frame.
func (t *trial) look(f *gst.Frame) {
	t.result.Frames++
	switch n := t.result.Frames; {
	case n == 1:
		t.settled = time.Now()
	case n > probeKeyAfter && f.Flags&gst.Delta == 0:
		t.result.ForceKey = true
	}
	if n := t.result.Frames - 1; n > 0 {
		t.result.Milliseconds = float64(time.Since(t.settled)) / float64(time.Millisecond) / float64(n)
	}
	t.result.BFrames = t.result.BFrames || f.PTS < t.newest
	t.newest = max(t.newest, f.PTS)
	if t.codec == media.H264 && t.result.Profile == "" {
		t.result.Profile = profileOf(wire.Split(t.codec, f.Data))
	}
}

// profileOf is the profile-level-id of the first SPS among NAL units; "" if there is none.
func profileOf(nalus [][]byte) string {
	for _, n := range nalus {
		if len(n) >= 4 && n[0]&0x1f == spsType {
			return hex.EncodeToString(n[1:4])
		}
	}
	return ""
}
