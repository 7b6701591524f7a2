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
