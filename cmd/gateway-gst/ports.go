//go:build gstreamer

package main

import (
	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/worker/wire"
)

// encoderName is the element in front of which frames of the preroll end.
const encoderName = "encoder"

// joinPorts takes the ends of a text that the gateway has written.
func (w *worker) joinPorts() *wire.Fault {
	for _, p := range w.job.Inputs {
		in, f := w.newInput(p)
		if f != nil {
			return f
		}
		w.inputs = append(w.inputs, in)
	}
	for i, p := range w.job.Outputs {
		sink := w.pipeline.Element(p.Name).AppSink()
		if sink == nil {
			return &wire.Fault{Code: wire.FaultNoOutput, Element: p.Name, Permanent: true}
		}
		w.addOutput(sink, w.encoderOf(uint8(i)))
	}
	if encoder := w.pipeline.Element(encoderName); w.job.Preroll && encoder != nil {
		w.gate = newGate(encoder)
	}
	return nil
}

// newGate is nil for an element without a pad named "sink".
func newGate(e *gst.Element) *gst.Gate {
	pad := e.SinkPad()
	if pad == nil {
		return nil
	}
	return pad.NewGate()
}

// encoderOf is what makes the frames of an output, as far as the job tells.
func (w *worker) encoderOf(track uint8) string {
	for _, c := range w.job.Controls {
		if e := w.pipeline.Element(c.Element); c.Track == track && e != nil {
			return e.Factory
		}
	}
	if e := w.pipeline.Element(encoderName); e != nil {
		return e.Factory
	}
	return ""
}

// findInputs takes the appsrc elements of a sink's text, and puts one in front of the first pad that takes a track
// where the text has none of its name.
func (w *worker) findInputs() *wire.Fault {
	for _, p := range w.job.Inputs {
		if w.pipeline.Element(p.Name) == nil {
			text := "appsrc name=" + p.Name + " ! queue max-size-buffers=0 max-size-bytes=0 max-size-time=2000000000"
			if err := w.pipeline.Prepend(p.Caps, text); err != nil {
				return faultOfParse(err)
			}
		}
		in, f := w.newInput(p)
		if f != nil {
			return f
		}
		w.inputs = append(w.inputs, in)
	}
	return nil
}
