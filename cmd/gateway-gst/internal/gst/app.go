//go:build gstreamer

package gst

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Flags of a frame.
type Flags uint

// The flags that the worker sets and reads.
const (
	Delta         Flags = C.GST_BUFFER_FLAG_DELTA_UNIT // no keyframe
	Discontinuity Flags = C.GST_BUFFER_FLAG_DISCONT
)

// Unknown is a time that is not known.
const Unknown = time.Duration(C.GST_CLOCK_STIME_NONE)

// AppSrc is an element of which we are the source.
type AppSrc struct{ e *Element }

// AppSrc is the element as an appsrc; nil if it is none. It is made one that never blocks and never drops, whose
// frames come when they come.
func (e *Element) AppSrc() *AppSrc {
	if e == nil || e.Factory != "appsrc" {
		return nil
	}
	for property, value := range map[string]string{
		"is-live": "true", "format": "time", "block": "false", "do-timestamp": "false", "stream-type": "stream",
		"max-bytes": "0", "max-buffers": "0", "max-time": "0", "leaky-type": "none", "emit-signals": "false",
	} {
		e.Set(property, value)
	}
	return &AppSrc{e: e}
}

func (s *AppSrc) pointer() *C.GstAppSrc { return (*C.GstAppSrc)(s.e.pointer()) }

// SetCaps says what the frames that are pushed from now on are.
func (s *AppSrc) SetCaps(caps string) error {
	c, err := newCaps(caps)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	C.gst_app_src_set_caps(s.pointer(), c)
	C.gst_caps_unref(c)
	return nil
}

// Push copies a frame into the pipeline. Times are running times, a dts of Unknown and a duration of 0 are not set.
// It never blocks; false means that the pipeline does not run any more.
func (s *AppSrc) Push(data []byte, pts, dts, duration time.Duration, flags Flags) bool {
	if len(data) == 0 {
		return true
	}
	defer runtime.KeepAlive(s)
	ret := C.shim_push(s.pointer(), unsafe.Pointer(&data[0]), C.gsize(len(data)),
		C.gint64(pts), C.gint64(dts), C.gint64(duration), C.guint(flags))
	return ret == C.GST_FLOW_OK
}

// Queued is the number of frames that wait in the element, and their bytes.
func (s *AppSrc) Queued() (frames, bytes int) {
	defer runtime.KeepAlive(s)
	return int(C.gst_app_src_get_current_level_buffers(s.pointer())), int(C.gst_app_src_get_current_level_bytes(s.pointer()))
}

// End says that nothing follows.
func (s *AppSrc) End() {
	defer runtime.KeepAlive(s)
	C.gst_app_src_end_of_stream(s.pointer())
}

// AppSink is an element of which we are the sink.
type AppSink struct{ e *Element }

// AppSink is the element as an appsink; nil if it is none.
func (e *Element) AppSink() *AppSink {
	if e == nil || e.Factory != "appsink" {
		return nil
	}
	e.Set("emit-signals", "false")
	e.Set("wait-on-eos", "true")
	return &AppSink{e: e}
}

// Name is the element's.
func (s *AppSink) Name() string { return s.e.Name }

// SetSync tells whether frames come out at their time, or as soon as they can.
func (s *AppSink) SetSync(sync bool) {
	value := "false"
	if sync {
		value = "true"
	}
	s.e.Set("sync", value)
}

// ForceKey asks what is before the sink for a keyframe, with all headers.
func (s *AppSink) ForceKey() { C.shim_force_key((*C.GstElement)(s.e.pointer())) }

// Frame is one frame that came out. Data is GStreamer's memory, until Release.
type Frame struct {
	Data               []byte
	PTS, DTS, Duration time.Duration // running times; Unknown if there is none
	Flags              Flags
	caps               *C.GstCaps
	c                  C.shim_frame
}

// Pull waits for the next frame, which replaces f; false after the end. It blocks for as long as nothing comes, and
// may be called only when the pipeline has been told to play: before, it says that it has ended.
func (s *AppSink) Pull(f *Frame) bool {
	defer runtime.KeepAlive(s)
	if C.shim_pull((*C.GstAppSink)(s.e.pointer()), C.GST_CLOCK_TIME_NONE, &f.c) == 0 {
		return false
	}
	f.Data = unsafe.Slice((*byte)(unsafe.Pointer(f.c._map.data)), int(f.c._map.size))
	f.PTS, f.DTS, f.Duration = time.Duration(f.c.pts), time.Duration(f.c.dts), time.Duration(f.c.duration)
	f.Flags = Flags(f.c.flags)
	return true
}

// Release gives the memory of Data back.
func (f *Frame) Release() {
	C.shim_release(&f.c)
	f.Data = nil
}

// NewCaps reports whether the frame's caps differ from those of the frame that f held at the last call, and what they
// are. It is called before Release.
func (f *Frame) NewCaps() (Caps, bool) {
	caps := C.shim_frame_caps(&f.c)
	if caps == nil || caps == f.caps || f.caps != nil && C.gst_caps_is_equal(caps, f.caps) != 0 {
		return Caps{}, false
	}
	if f.caps != nil {
		C.gst_caps_unref(f.caps)
	}
	f.caps = C.gst_caps_ref(caps)
	return readAllCaps(caps)[0], true
}
