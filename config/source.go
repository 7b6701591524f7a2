package config

import (
	"fmt"
	"regexp"
	"strings"
)

// supported is what a sentence about any other source ends in.
const supported = "this build, which takes rtsp://, rtsps://, whep://, wheps://, publish, demo:, gst: and device:"

// laterSchemes are those of other builds.
const laterSchemes = "onvif"

var schemeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,15}$`)

// checkSource returns what is wrong with a source, "" if nothing is.
func checkSource(source string) string {
	scheme, rest, found := strings.Cut(source, ":")
	switch {
	case source == "":
		return `is missing: add source = "rtsp://...", "publish" or "demo:"`
	case found && scheme == "gst":
		return checkPipeline(rest)
	case found && scheme == "device":
		return checkDevice(rest)
	case found && (scheme == "rtsp" || scheme == "rtsps"):
		return rtspURL.fault(source)
	case found && (scheme == "whep" || scheme == "wheps"):
		return whepURL.fault(source)
	case source == DemoSource, source == PublishSource:
		return ""
	case found && scheme == "demo":
		return `takes nothing after "demo:"`
	case found && scheme == "publish":
		return `takes nothing after "publish"`
	case oneOf(scheme, laterSchemes):
		return fmt.Sprintf("%q is not in %s", scheme, supported)
	case found && strings.HasPrefix(rest, "//") && schemeName.MatchString(scheme):
		return fmt.Sprintf("%q is not a kind of source in %s", scheme, supported)
	default:
		return "does not begin with a kind of source of " + supported
	}
}

// checkPush returns what is wrong with the URL of a push, "" if nothing is.
func checkPush(target string) string {
	scheme, _, found := strings.Cut(target, ":")
	switch {
	case target == "":
		return `is missing: add url = "whips://HOST/path"`
	case found && (scheme == "whip" || scheme == "whips"):
		return whipURL.fault(target)
	default:
		return `does not begin with whip:// or whips://: a stream goes on to WHIP servers only`
	}
}
