//go:build gstreamer

package gst

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"runtime"
	"time"
	"unsafe"

	gogst "github.com/go-gst/go-gst/gst"
)

// Pipeline is a pipeline made of a text. There is no way to free one: the process ends instead.
type Pipeline struct {
	p   *gogst.Pipeline
	bus *gogst.Bus
}

// Parse makes a pipeline, in state NULL. The error is a *ParseError.
func Parse(description string) (*Pipeline, error) {
	t, err := text(description)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(t))
	var why *C.GError
	var missing **C.gchar
	made := C.shim_parse(t, &why, &missing)
	if made == nil {
		return nil, takeParseError(why, missing)
	}
	C.g_strfreev(missing)
	p := gogst.FromGstPipelineUnsafeNone(unsafe.Pointer(made))
	return &Pipeline{p: p, bus: p.GetPipelineBus()}, nil
}

func (p *Pipeline) element() *C.GstElement { return (*C.GstElement)(p.p.Unsafe()) }
func (p *Pipeline) bin() *C.GstBin         { return (*C.GstBin)(p.p.Unsafe()) }

// UseSystemClock makes the pipeline count by CLOCK_MONOTONIC, whatever clocks its elements offer.
func (p *Pipeline) UseSystemClock() { C.shim_use_system_clock(p.element()) }

// Pause opens devices and connections, and may block as long as they please. live tells that the pipeline keeps time
// by itself: nothing comes out of it before Play.
func (p *Pipeline) Pause() (live bool, err error) {
	if err := p.p.SetState(gogst.StatePaused); err != nil {
		return false, err
	}
	change, _ := p.p.GetState(gogst.StatePaused, 0)
	return change == gogst.StateChangeNoPreroll, nil
}

// Play starts the pipeline. It is asynchronous: the bus tells when it plays.
func (p *Pipeline) Play() error { return p.p.SetState(gogst.StatePlaying) }

// Stop closes devices and connections. An element may block it for ever.
func (p *Pipeline) Stop() error { return p.p.SetState(gogst.StateNull) }

// BaseTime is the moment of CLOCK_MONOTONIC at which running time is zero, once the pipeline plays by the system clock.
func (p *Pipeline) BaseTime() time.Duration {
	return time.Duration(C.gst_element_get_base_time(p.element()))
}

// RunningTime is how long the pipeline has been playing; zero before.
func (p *Pipeline) RunningTime() time.Duration {
	return time.Duration(C.shim_running_time(p.element()))
}

// Elements are all elements, those inside of others too.
func (p *Pipeline) Elements() []*Element { return elements(p.bin()) }

func elements(bin *C.GstBin) []*Element {
	list := C.shim_elements(bin)
	defer C.g_ptr_array_unref(list)
	var all []*Element
	for _, e := range pointers(list) {
		all = append(all, newElement(e))
	}
	return all
}

// Element finds an element by name, in bins too; nil if there is none.
func (p *Pipeline) Element(name string) *Element { return Named(p.Elements(), name) }

// Named is the first of all that has a name; nil if none has.
func Named(all []*Element, name string) *Element {
	for _, e := range all {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// LoosePads are the pads of one direction that are linked to nothing, in the order of the text. Those inside an
// element that is a bin by itself, such as decodebin, are not looked at.
func (p *Pipeline) LoosePads(d Direction) []*Pad {
	list := C.shim_loose_pads(p.bin(), C.GstPadDirection(d))
	defer C.g_ptr_array_unref(list)
	var pads []*Pad
	for _, pad := range pointers(list) {
		pads = append(pads, newPad((*C.GstPad)(pad)))
	}
	return pads
}

// HasLaterPads reports whether an element may get pads while the pipeline runs.
func (p *Pipeline) HasLaterPads() bool { return C.shim_has_later_pads(p.bin()) != 0 }

// Append makes a bin of a text, links its loose sink pad to pad, and brings it into the pipeline's state. prepare gets
// its elements before they start.
func (p *Pipeline) Append(pad *Pad, description string, prepare func([]*Element)) error {
	t, err := text(description)
	if err != nil {
		return err
	}
	defer C.free(unsafe.Pointer(t))
	defer runtime.KeepAlive(pad)
	var why *C.GError
	var missing **C.gchar
	sink := C.shim_add(p.bin(), t, &why, &missing)
	if sink == nil {
		return takeParseError(why, missing)
	}
	C.g_strfreev(missing)
	prepare(elements((*C.GstBin)(C.shim_owner(sink))))
	if C.shim_link(pad.p, sink) == 0 {
		return &ParseError{Message: "could not link " + pad.Name() + " to " + description}
	}
	return nil
}

// newCaps reads caps as GStreamer writes them.
func newCaps(s string) (*C.GstCaps, error) {
	t, err := text(s)
	if err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(t))
	if c := C.gst_caps_from_string(t); c != nil {
		return c, nil
	}
	return nil, errors.New("no caps: " + s)
}

func pointers(list *C.GPtrArray) []unsafe.Pointer {
	return unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(list.pdata)), list.len)
}
