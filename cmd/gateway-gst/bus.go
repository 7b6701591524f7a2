//go:build gstreamer

package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"sluice/cmd/gateway-gst/internal/elements"
	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

// watchBus sees to what the pipeline says of itself, as long as the process lives.
func (w *worker) watchBus() {
	w.running.Store(w.pipeline)
	w.pong()
	for {
		switch m := w.pipeline.Next(); m.Kind {
		case gst.Nudged:
			w.pong()
		case gst.Failed:
			w.fail(w.faultOf(m))
		case gst.Warned:
			w.complain(m.Element + " warns: " + m.Text)
		case gst.Missing:
			w.missing = m
		case gst.Ended:
			w.end()
		}
	}
}

// complain tells the log of what may be why nothing comes out, and keeps it for that case.
func (w *worker) complain(text string) {
	w.log(text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaint = text
}

// end answers the gateway that has said that nothing follows. An end that nobody asked for is a failure, whose
// reason may still come.
func (w *worker) end() {
	if w.job.Role == wire.RoleProbe {
		return // probe has seen it too
	}
	w.mu.Lock()
	asked := w.ending
	w.mu.Unlock()
	if !asked {
		time.AfterFunc(reasonWait, func() { w.fail(&wire.Fault{Code: wire.FaultEOS}) })
		return
	}
	w.endOnce.Do(func() { close(w.ended) })
	w.counts.pulling.Wait()
	w.send(&wire.Message{Type: wire.TypeEOS})
}

// faultOf is what an error on the bus is to the gateway.
func (w *worker) faultOf(m gst.Message) *wire.Fault {
	if w.missing.Element != "" && m.Domain != "gst-resource-error-quark" && w.counts.out.Load() == 0 {
		return missingPlugin(w.missing)
	}
	return &wire.Fault{
		Code: wire.FaultElement, Element: cmp.Or(m.Factory, m.Element),
		Message: media.RedactURL(told(m.Text, m.Debug)), Debug: media.RedactURL(m.Debug),
	}
}

// told is what an element says of its error. The reason often stands in debug only, behind the line that says where in
// GStreamer it happened.
func told(text, debug string) string {
	if strings.Contains(debug, "not-negotiated") { // the text is but "Internal data stream error."
		return "the elements behind it take nothing of what it gives (not-negotiated)"
	}
	_, reason, _ := strings.Cut(debug, "\n")
	reason = strings.Join(strings.Fields(reason), " ")
	switch {
	case reason == "":
		return text
	case strings.HasSuffix(text, "."):
		return text + " " + reason
	}
	return text + ": " + reason
}

// missingPlugin is the fault of a decoder, or whatever decodebin looked for, that is not installed.
func missingPlugin(m gst.Message) *wire.Fault {
	if !strings.Contains(m.Element, "/") {
		return missingFault(m.Element)
	}
	f := &wire.Fault{Code: wire.FaultMissingElement, Message: m.Text, Permanent: true, Debug: "nothing is installed for " + m.Element}
	if strings.HasSuffix(m.Text, "decoder") {
		f.Package = elements.DecoderPackage
	}
	return f
}

// The methods of gst.Watcher come on the pipeline's threads. Where one finds a fault it does not return: what it was
// told of never happens, and the process ends.

// ElementAdded refuses elements that others make.
func (w *worker) ElementAdded(factory string) {
	if elements.RefuseInside(factory, w.job.Allow) {
		w.fail(refusedFault(factory))
		select {}
	}
}

// TooLarge refuses pictures that would take too much memory.
func (w *worker) TooLarge(element string, width, height int) {
	w.fail(&wire.Fault{Code: wire.FaultLimit, Element: element, Permanent: true, Message: fmt.Sprintf(
		"%s makes pictures of %d×%d, more than the %d pixels that are allowed", element, width, height, w.job.Limits.MaxPixels)})
	select {}
}

// PadAdded takes what a source's pipeline gives only once it runs.
func (w *worker) PadAdded(pad *gst.Pad) {
	if f := w.takePad(pad); f != nil {
		w.complain(f.Error())
	}
}
