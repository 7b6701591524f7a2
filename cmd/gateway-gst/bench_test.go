//go:build gstreamer

package main

import (
	"fmt"
	"testing"
	"time"

	"sluice/worker/wire"
)

// BenchmarkTranscode is from a frame's way in to its way out, one at a time, as seen by the gateway.
func BenchmarkTranscode(b *testing.B) {
	for _, height := range []int{360, 720, 1080} {
		b.Run(fmt.Sprintf("height=%d", height), func(b *testing.B) {
			frames := clip(b, 120, height*16/9, height, "smpte")
			p := play(b, transcoder(source+"h264parse ! avdec_h264 thread-type=slice ! videoconvert ! "+x264+sink))
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				p.feed(frames[i%len(frames)], time.Duration(i)*frameTime, 0)
				p.wait(wire.TypeFrame)
				i++
			}
		})
	}
}

// BenchmarkFirstFrame is from a job to its first frame, by a process that is started for it and by one that waited.
func BenchmarkFirstFrame(b *testing.B) {
	frame := clip(b, 1, 1280, 720, "smpte")[0]
	job := transcoder(source + "h264parse ! avdec_h264 thread-type=slice ! videoconvert ! " + x264 + sink)
	for name, warm := range map[string][]string{"cold": nil, "warm": {"x264enc", "avdec_h264", "h264parse", "videoconvert", "appsrc", "appsink"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var p *process
				if warm != nil {
					b.StopTimer()
					p = start(b)
					p.send(wire.JSON(wire.TypeConfig, wire.Job{Warm: warm}))
					p.wait(wire.TypeReady)
					b.StartTimer()
				} else {
					p = start(b)
				}
				p.send(wire.JSON(wire.TypeConfig, job))
				p.wait(wire.TypeReady)
				p.feed(frame, 0, 0)
				p.wait(wire.TypeFrame)
				b.StopTimer()
				p.end()
				b.StartTimer()
			}
		})
	}
}
