//go:build gstreamer

package main

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/media"
	"sluice/worker/wire"
)

const maxMessage = 300 // of a fault, in bytes

// faultOfParse is what GStreamer says of a text, without what may be a secret of it: a value, or what it takes for an
// element because a value with a space in it is not quoted.
func faultOfParse(err error, description string) *wire.Fault {
	var p *gst.ParseError
	if errors.As(err, &p) && len(p.Missing) > 0 {
		if i := slices.IndexFunc(p.Missing, func(name string) bool { return standsAsElement(name, description) }); i >= 0 {
			return missingFault(p.Missing[i])
		}
		return parseFault("it has a word that is no element: put a value with a space in it in quotation marks")
	}
	if strings.Contains(err.Error(), `named "(null)"`) { // GStreamer has forgotten what the text said
		return parseFault("it links to a name that none of its elements has")
	}
	return parseFault(media.RedactURL(withoutText(err.Error())))
}

func parseFault(message string) *wire.Fault {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return &wire.Fault{Code: wire.FaultParse, Message: message, Permanent: true}
}

var elementName = regexp.MustCompile(`^[A-Za-z][\w-]*$`)

// standsAsElement tells that a name is first in a text, or first behind an exclamation mark or a bracket.
func standsAsElement(name, description string) bool {
	if !elementName.MatchString(name) {
		return false
	}
	return regexp.MustCompile(`(?:^|[!(])\s*` + name + `(?:[\s!()]|$)`).MatchString(description)
}

var (
	refusedValue = regexp.MustCompile(`(?s)^(could not set property "[\w:.-]+" in (?:child of )?element "[^" ]+") to ".*$`)
	wholeText    = regexp.MustCompile(`(?s) while parsing pipeline .*$`)
	noProperty   = regexp.MustCompile(`^no property "[A-Za-z][\w:-]*" in element "\(?[\w-]+\)?"$`)
	quotation    = regexp.MustCompile(`(?s)".*"`)
)

// withoutText leaves out what GStreamer repeats of a text, but for the names of elements and their properties.
func withoutText(message string) string {
	if m := refusedValue.FindStringSubmatch(message); m != nil {
		return m[1] + ": it does not take this value"
	}
	message = wholeText.ReplaceAllString(message, "")
	if noProperty.MatchString(message) {
		return message
	}
	return quotation.ReplaceAllString(message, `"…"`)
}
