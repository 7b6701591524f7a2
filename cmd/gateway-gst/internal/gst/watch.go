//go:build gstreamer

package gst

/*
#include "shim.h"
*/
import "C"

import "runtime/cgo"

// Watcher is told what happens inside a pipeline, on the pipeline's own threads. While a method runs, what it is told
// of has not gone further: an element has not started, memory for a frame has not been asked for.
type Watcher interface {
	// ElementAdded tells of an element that another one has made.
	ElementAdded(factory string)
	// TooLarge tells of raw pictures of more pixels than Watch allows.
	TooLarge(element string, width, height int)
	// PadAdded tells of a new source pad that is linked to nothing, once WatchPads has been called.
	PadAdded(pad *Pad)
}

// Watch has w told of new elements and of raw pictures of more than maxPixels (0: any), from now on.
func (p *Pipeline) Watch(maxPixels int, w Watcher) {
	C.shim_watch(p.element(), C.gint64(maxPixels), C.guintptr(cgo.NewHandle(w)))
}

// WatchPads has w told of pads that the elements of the text get while they run.
func (p *Pipeline) WatchPads(w Watcher) {
	C.shim_watch_pads(p.bin(), C.guintptr(cgo.NewHandle(w)))
}

func watcher(h C.guintptr) Watcher { return cgo.Handle(h).Value().(Watcher) }

//export shimElementAdded
func shimElementAdded(h C.guintptr, factory *C.char) { watcher(h).ElementAdded(C.GoString(factory)) }

//export shimTooLarge
func shimTooLarge(h C.guintptr, element *C.char, width, height C.gint) {
	watcher(h).TooLarge(C.GoString(element), int(width), int(height))
}

//export shimPadAdded
func shimPadAdded(h C.guintptr, pad *C.GstPad) { watcher(h).PadAdded(newPad(pad)) }
