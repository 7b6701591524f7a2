//go:build gstreamer

package gst

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import "unsafe"

// Caps describe what goes through a pad. They are a copy: nothing of GStreamer's is held.
type Caps struct {
	Name      string // "video/x-h264"
	Text      string // all of them, as GStreamer writes caps
	CodecData []byte
	ints      map[string]int
	strings   map[string]string
	rate      [2]int
}

// Int is a field that is a number; 0 if it has no single value.
func (c *Caps) Int(field string) int { return c.ints[field] }

// String is a field that is a text; "" if it has no single value.
func (c *Caps) String(field string) string { return c.strings[field] }

// Framerate is the frames per second as a fraction; 0, 0 if they have no single value.
func (c *Caps) Framerate() (num, den int) { return c.rate[0], c.rate[1] }

// The fields that are read. Others can be had from Text.
var (
	intFields    = [...]string{"width", "height", "rate", "channels", "mpegversion", "layer", "clock-rate"}
	stringFields = [...]string{"stream-format", "alignment", "media", "encoding-name", "profile"}
)

func readAllCaps(caps *C.GstCaps) []Caps {
	var all []Caps
	for i := range C.gst_caps_get_size(caps) {
		all = append(all, readCaps(C.gst_caps_get_structure(caps, i)))
	}
	return all
}

func readCaps(s *C.GstStructure) Caps {
	c := Caps{
		Name: C.GoString(C.gst_structure_get_name(s)),
		ints: map[string]int{}, strings: map[string]string{},
	}
	written := C.gst_structure_to_string(s)
	c.Text = C.GoString(written)
	C.g_free(C.gpointer(written))
	for _, f := range intFields {
		withField(f, func(name *C.char) {
			var n C.gint
			if C.gst_structure_get_int(s, name, &n) != 0 {
				c.ints[f] = int(n)
			}
		})
	}
	for _, f := range stringFields {
		withField(f, func(name *C.char) {
			if v := C.gst_structure_get_string(s, name); v != nil {
				c.strings[f] = C.GoString(v)
			}
		})
	}
	withField("framerate", func(name *C.char) {
		var num, den C.gint
		if C.gst_structure_get_fraction(s, name, &num, &den) != 0 {
			c.rate = [2]int{int(num), int(den)}
		}
	})
	withField("codec_data", func(name *C.char) { c.CodecData = readBuffer(C.gst_structure_get_value(s, name)) })
	return c
}

func withField(field string, f func(name *C.char)) {
	name := C.CString(field)
	defer C.free(unsafe.Pointer(name))
	f(name)
}

// readBuffer copies a buffer that a field holds.
func readBuffer(v *C.GValue) []byte {
	if v == nil {
		return nil
	}
	b := C.shim_value_buffer(v)
	if b == nil {
		return nil
	}
	size := C.gst_buffer_get_size(b)
	data := make([]byte, size)
	if size > 0 {
		C.gst_buffer_extract(b, 0, C.gpointer(unsafe.Pointer(&data[0])), size)
	}
	return data
}
