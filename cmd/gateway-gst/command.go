//go:build gstreamer

package main

import (
	"strconv"
	"time"

	"sluice/worker/wire"
)

// commandQueue is how many messages may wait while the pipeline starts.
const commandQueue = 512

// read receives what the gateway says until it wants no more. It closes stop; nobody closes commands.
func (w *worker) read(commands chan<- wire.Message) {
	defer close(w.stop)
	for {
		m, err := w.link.r.Next()
		if err != nil {
			m = wire.Message{Type: wire.TypeStop} // the gateway has gone
		}
		if m.Type == wire.TypePing {
			w.ping()
			continue
		}
		commands <- m
		if m.Type == wire.TypeStop {
			return
		}
	}
}

// ping has the goroutine of the bus answer, so that the answer says something of the pipeline.
func (w *worker) ping() {
	w.counts.pings.Add(1)
	if p := w.running.Load(); p != nil {
		p.Nudge()
	}
}

// pong answers the pings that have come.
func (w *worker) pong() {
	for range w.counts.pings.Swap(0) {
		w.send(&wire.Message{Type: wire.TypePong})
	}
}

// obey does what a message says.
func (w *worker) obey(m *wire.Message) {
	switch m.Type {
	case wire.TypeFrame:
		w.feed(m)
	case wire.TypeKeyRequest:
		if o := w.output(m.Track); o != nil {
			o.sink.ForceKey()
		}
	case wire.TypeBitrate:
		w.setBitrate(m.Track, m.Ext)
	case wire.TypeEOS:
		w.endInputs()
	case wire.TypeStop:
		close(w.drained)
	}
}

// feed puts a frame into the pipeline.
func (w *worker) feed(m *wire.Message) {
	if int(m.Track) >= len(w.inputs) {
		return
	}
	if m.Flags&wire.Preroll != 0 && w.gate != nil {
		w.gate.Raise(time.Duration(m.PTS))
	}
	if w.inputs[m.Track].push(m, w.offset(m)) {
		w.counts.in.Add(1)
		return
	}
	w.counts.dropped.Add(1)
}

// offset is what a frame's PTS is shifted by. What goes through a transcoder keeps its time; a sink waits for the
// time of what it gets, so the first frame's is now.
func (w *worker) offset(m *wire.Message) time.Duration {
	if w.job.Role != wire.RoleSink {
		return 0
	}
	if !w.anchored {
		w.anchored, w.shift = true, w.pipeline.RunningTime()-time.Duration(m.PTS)
	}
	return w.shift
}

func (w *worker) output(track uint8) *output {
	w.mu.Lock()
	defer w.mu.Unlock()
	if int(track) >= len(w.outputs) {
		return nil
	}
	return w.outputs[track]
}

// setBitrate applies a bitrate in bit/s to the encoder of an output.
func (w *worker) setBitrate(track uint8, bitrate int64) {
	w.mu.Lock()
	controls := w.controls
	w.mu.Unlock()
	for _, c := range controls {
		e := w.pipeline.Element(c.Element)
		if c.Track != track || c.Unit <= 0 || e == nil {
			continue
		}
		value := strconv.FormatInt(max(1, bitrate/int64(c.Unit)), 10)
		if c.ExtraControls {
			e.Set("extra-controls", "controls,"+c.Property+"="+value)
			continue
		}
		e.Set(c.Property, value)
	}
}

// endInputs tells the pipeline that nothing follows. Once it is through, watchBus says so.
func (w *worker) endInputs() {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	for _, i := range w.inputs {
		i.src.End()
	}
}
