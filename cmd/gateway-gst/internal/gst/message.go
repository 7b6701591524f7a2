//go:build gstreamer

package gst

/*
#include "shim.h"
*/
import "C"

import (
	"runtime"
	"unsafe"

	gogst "github.com/go-gst/go-gst/gst"
)

// Kind says what a Message is.
type Kind int

// The kinds of message. All others are seen to here.
const (
	Failed  Kind = iota + 1 // Element has given up: Text, Debug, Domain, Code
	Warned                  // the same, but it goes on
	Ended                   // all sinks have got the end
	Nudged                  // Nudge was called
	Missing                 // Element is the factory, or the name of the caps, that no plugin is there for; Text says it
)

// Message is what the pipeline says of itself.
type Message struct {
	Kind    Kind
	Element string // its name
	Factory string
	Text    string
	Debug   string
	Domain  string // of GError: "gst-resource-error-quark"
	Code    int
}

// Next waits for the next message. It belongs to one goroutine.
func (p *Pipeline) Next() Message {
	for {
		if m, ok := p.next(); ok {
			return m
		}
	}
}

// next waits for a message of any kind; false if it is seen to already.
func (p *Pipeline) next() (Message, bool) {
	m := p.bus.TimedPop(gogst.ClockTimeNone)
	if m == nil {
		return Message{}, false
	}
	defer runtime.KeepAlive(m)
	c := (*C.GstMessage)(unsafe.Pointer(m.Instance()))
	switch m.Type() {
	case gogst.MessageError:
		return failure(c, Failed), true
	case gogst.MessageWarning:
		return failure(c, Warned), true
	case gogst.MessageEOS:
		return Message{Kind: Ended}, true
	case gogst.MessageLatency:
		p.p.RecalculateLatency()
	case gogst.MessageElement:
		return missing(c)
	case gogst.MessageApplication:
		return Message{Kind: Nudged}, true
	}
	return Message{}, false
}

// Nudge has Next return a message that says so. Any goroutine may call it.
func (p *Pipeline) Nudge() { C.shim_nudge(p.element()) }

func failure(m *C.GstMessage, kind Kind) Message {
	var f C.shim_failure
	C.shim_parse_failure(m, &f)
	defer C.shim_free_failure(&f)
	return Message{
		Kind: kind, Element: C.GoString(f.element), Factory: C.GoString(f.factory),
		Text: C.GoString(f.text), Debug: C.GoString(f.debug), Domain: C.GoString(f.domain), Code: int(f.code),
	}
}

func missing(m *C.GstMessage) (Message, bool) {
	var description *C.gchar
	what := C.shim_missing_plugin(m, &description)
	if what == nil {
		return Message{}, false
	}
	defer C.g_free(C.gpointer(what))
	defer C.g_free(C.gpointer(description))
	return Message{Kind: Missing, Element: C.GoString(what), Text: C.GoString(description)}, true
}
