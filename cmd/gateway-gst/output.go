//go:build gstreamer

package main

import (
	"time"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

// maxSkew is how far the time of a source's frame may be from the moment at which it comes. A frame that is farther,
// or has none, as some parsers make them, counts as taken when it came.
const maxSkew = 10 * time.Second

// output is one appsink, pulled from by a goroutine of its own.
type output struct {
	track   uint8
	sink    *gst.AppSink
	encoder string // element that makes the frames, "" if the pipeline's own does
	video   bool
	pulled  bool // a goroutine pulls
}

// addOutput makes a track of an appsink, and pulls from it if the pipeline plays already.
func (w *worker) addOutput(sink *gst.AppSink, encoder string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &output{track: uint8(len(w.outputs)), sink: sink, encoder: encoder}
	sink.SetSync(w.paced())
	w.outputs = append(w.outputs, o)
	w.pullAll()
}

// paced wants mu. It tells that the sinks keep the time, as nothing in the pipeline does.
func (w *worker) paced() bool { return !w.live && w.job.Role == wire.RoleSource }

// startPulling starts what may not start before: an appsink that does not run says that it has ended.
func (w *worker) startPulling() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = true
	w.pullAll()
}

// pullAll wants mu.
func (w *worker) pullAll() {
	for _, o := range w.outputs {
		if w.started && !o.pulled {
			o.pulled = true
			w.counts.pulling.Add(1)
			go w.pull(o)
		}
	}
}

// pull sends an output's frames on, and their caps before the first and before each that differs.
func (w *worker) pull(o *output) {
	defer w.counts.pulling.Done()
	var f gst.Frame
	for o.sink.Pull(&f) {
		if caps, changed := f.NewCaps(); changed && !w.announce(o, &caps) {
			f.Release()
			return
		}
		if m, ok := w.message(o, &f); ok {
			w.send(&m)
			w.counts.out.Add(1)
		} else {
			w.counts.dropped.Add(1)
		}
		f.Release()
	}
}

// announce tells the gateway what follows; false if it is nothing that can be carried.
func (w *worker) announce(o *output, caps *gst.Caps) bool {
	c, ok := describe(caps)
	if !ok {
		w.fail(&wire.Fault{Code: wire.FaultElement, Element: o.sink.Name(), Message: "it gets " + caps.Name +
			", which can't be carried: end the pipeline in an encoder or a parser", Permanent: true})
		return false
	}
	c.Track, c.Encoder = o.track, o.encoder
	o.video = c.Kind == media.Video
	w.send(wire.JSON(wire.TypeCaps, c))
	return true
}

// message is the frame as the gateway wants it: a source's by CLOCK_MONOTONIC, all others by running time, which is
// that of their input whatever the elements between have made of it.
func (w *worker) message(o *output, f *gst.Frame) (wire.Message, bool) {
	pts, dts, base := f.PTS, f.DTS, time.Duration(0)
	if w.job.Role == wire.RoleSource {
		base = w.pipeline.BaseTime()
		if now := w.pipeline.RunningTime(); pts == gst.Unknown || (pts-now).Abs() > maxSkew {
			pts, dts = now, now
		}
	}
	if pts == gst.Unknown {
		pts = dts
	}
	if dts == gst.Unknown {
		dts = pts
	}
	var flags wire.Flags
	if !o.video || f.Flags&gst.Delta == 0 {
		flags |= wire.Keyframe
	}
	if f.Flags&gst.Discontinuity != 0 {
		flags |= wire.Discontinuity
	}
	return wire.Message{
		Type: wire.TypeFrame, Track: o.track, Flags: flags,
		PTS: int64(pts + base), DTS: int64(dts + base), Ext: int64(f.Duration), Payload: f.Data,
	}, pts != gst.Unknown
}
