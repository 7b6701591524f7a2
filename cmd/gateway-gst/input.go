//go:build gstreamer

package main

import (
	"time"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

// What may wait in front of a pipeline: a GOP that is replayed for its last picture may be long, a pipeline that
// hangs must not eat the machine.
const (
	maxQueuedFrames = 2000
	maxQueuedBytes  = 32 << 20
)

// input is one appsrc. It belongs to the goroutine that obeys.
type input struct {
	src     *gst.AppSrc
	kind    media.Kind
	waiting bool // frames were dropped, so all are until the next keyframe
}

// newInput takes the appsrc of a port; nil if there is none of that name.
func (w *worker) newInput(p wire.Port) (*input, *wire.Fault) {
	src := w.pipeline.Element(p.Name).AppSrc()
	if src == nil {
		return nil, parseFault("it has no appsrc named " + p.Name)
	}
	if p.Caps != "" {
		if err := src.SetCaps(p.Caps); err != nil {
			return nil, parseFault(err.Error())
		}
	}
	return &input{src: src, kind: p.Kind}, nil
}

// push puts a frame into the pipeline, shifted by offset; false if it had to be dropped.
func (i *input) push(m *wire.Message, offset time.Duration) bool {
	key := m.Flags&wire.Keyframe != 0 || i.kind != media.Video
	frames, bytes := i.src.Queued()
	if frames >= maxQueuedFrames || bytes >= maxQueuedBytes || i.waiting && !key {
		i.waiting = true
		return false
	}
	var flags gst.Flags
	if !key {
		flags |= gst.Delta
	}
	if m.Flags&wire.Discontinuity != 0 || i.waiting {
		flags |= gst.Discontinuity
	}
	i.waiting = false
	return i.src.Push(m.Payload, time.Duration(m.PTS)+offset, gst.Unknown, time.Duration(m.Ext), flags)
}
