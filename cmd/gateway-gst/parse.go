//go:build gstreamer

package main

import (
	"fmt"
	"regexp"
	"strings"

	"sluice/cmd/gateway-gst/internal/elements"
	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/worker/wire"
)

const maxText = 64 << 10 // of a pipeline, in bytes

// parse makes the pipeline of the job's text and looks for elements that are refused, before any of them starts.
func (w *worker) parse() *wire.Fault {
	if len(w.job.Pipeline) > maxText {
		return parseFault(fmt.Sprintf("its text has %d bytes, more than %d", len(w.job.Pipeline), maxText))
	}
	description, missing := w.job.Resolve(gst.Exists)
	if missing != "" {
		return missingFault(missing)
	}
	if strings.TrimSpace(description) == "" {
		return parseFault("it is empty")
	}
	description = closeCaps(description)
	if name := twice(description); name != "" {
		return &wire.Fault{Code: wire.FaultDuplicateOutput, Element: name, Permanent: true}
	}
	p, err := gst.Parse(description)
	if err != nil {
		return faultOfParse(err, description)
	}
	w.pipeline = p
	return w.checkElements()
}

// namedSink finds the appsinks of a text with their names.
var namedSink = regexp.MustCompile(`\bappsink\b[^!]*?\sname=["']?([\w-]+)`)

// twice is a name that two appsinks of a text bear: GStreamer would link to either, or fail in words that say nothing
// of it. "" if there is none.
func twice(description string) string {
	seen := map[string]bool{}
	for _, m := range namedSink.FindAllStringSubmatch(description, -1) {
		if seen[m[1]] {
			return m[1]
		}
		seen[m[1]] = true
	}
	return ""
}

// checkElements refuses what reaches files or serves the network.
func (w *worker) checkElements() *wire.Fault {
	for _, e := range w.pipeline.Elements() {
		if elements.Refuse(e.Factory, w.job.Allow) {
			return refusedFault(e.Factory)
		}
	}
	return nil
}

// setProperties sets those properties that there are.
func (w *worker) setProperties(properties []wire.Property) {
	for _, p := range properties {
		if e := w.pipeline.Element(p.Element); e != nil {
			e.Set(p.Name, p.Value)
		}
	}
}

func missingFault(element string) *wire.Fault {
	return &wire.Fault{Code: wire.FaultMissingElement, Element: element, Package: elements.Package(element), Permanent: true}
}

func refusedFault(element string) *wire.Fault {
	return &wire.Fault{Code: wire.FaultNotAllowed, Element: element, Permanent: true}
}
