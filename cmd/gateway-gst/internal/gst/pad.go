//go:build gstreamer

package gst

/*
#include "shim.h"
*/
import "C"

import (
	"runtime"
	"time"
)

// Direction is where buffers go at a pad.
type Direction int

// The directions of a pad.
const (
	Src  Direction = C.GST_PAD_SRC
	Sink Direction = C.GST_PAD_SINK
)

// Pad is where an element can be linked to others.
type Pad struct{ p *C.GstPad }

// newPad holds p until the garbage collector finds the Pad.
func newPad(p *C.GstPad) *Pad {
	C.gst_object_ref(C.gpointer(p))
	pad := &Pad{p: p}
	runtime.SetFinalizer(pad, func(pad *Pad) { C.gst_object_unref(C.gpointer(pad.p)) })
	return pad
}

// Name is the pad's with its element's: "x264enc0.src".
func (p *Pad) Name() string {
	defer runtime.KeepAlive(p)
	name := C.gst_object_get_name((*C.GstObject)(C.gpointer(p.p)))
	defer C.g_free(C.gpointer(name))
	parent := C.gst_object_get_parent((*C.GstObject)(C.gpointer(p.p)))
	if parent == nil {
		return C.GoString(name)
	}
	defer C.gst_object_unref(C.gpointer(parent))
	owner := C.gst_object_get_name(parent)
	defer C.g_free(C.gpointer(owner))
	return C.GoString(owner) + "." + C.GoString(name)
}

// Caps are what goes through the pad, else what might, one for each form.
func (p *Pad) Caps() []Caps {
	defer runtime.KeepAlive(p)
	caps := C.shim_pad_caps(p.p)
	if caps == nil {
		return nil
	}
	defer C.gst_caps_unref(caps)
	return readAllCaps(caps)
}

// Gate drops frames at a pad.
type Gate struct{ g *C.shim_gate }

// NewGate puts a gate at the pad, open so far. It lasts as long as the process.
func (p *Pad) NewGate() *Gate {
	defer runtime.KeepAlive(p)
	return &Gate{g: C.shim_gate_new(p.p)}
}

// Raise makes the gate drop frames with a running time at or before until, if it did not already.
func (g *Gate) Raise(until time.Duration) { C.shim_gate_raise(g.g, C.gint64(until)) }
