//go:build gstreamer

package gst

/*
#include "shim.h"
*/
import "C"

import (
	"unsafe"

	gogst "github.com/go-gst/go-gst/gst"
)

// Element is one element of a pipeline.
type Element struct {
	Name    string // unique in its bin
	Factory string // what it is: "x264enc"
	e       *gogst.Element
}

func newElement(p unsafe.Pointer) *Element {
	e := gogst.FromGstElementUnsafeNone(p)
	return &Element{Name: e.GetName(), Factory: C.GoString(C.shim_factory_name(C.gpointer(p))), e: e}
}

func (e *Element) pointer() unsafe.Pointer { return e.e.Unsafe() }

// Set sets a property from its text form, as gst_parse_launch does. It does nothing if the element has no such
// property or the text is none of its values.
func (e *Element) Set(property, value string) {
	if _, err := e.e.GetPropertyType(property); err == nil {
		e.e.SetArg(property, value)
	}
}

// SinkPad is the pad named "sink"; nil if the element has none.
func (e *Element) SinkPad() *Pad {
	name := C.CString("sink")
	defer C.free(unsafe.Pointer(name))
	p := C.gst_element_get_static_pad((*C.GstElement)(e.pointer()), name)
	if p == nil {
		return nil
	}
	defer C.gst_object_unref(C.gpointer(p))
	return newPad(p)
}
