package capture

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sluice/worker/wire"
)

// The kinds of device.
const (
	camera     = "camera"
	microphone = "microphone"
	screen     = "screen"
	videotest  = "videotest"
	audiotest  = "audiotest"
)

var kinds = []string{camera, microphone, screen, videotest, audiotest}

const (
	maxSize = 8192 // pixels
	maxFPS  = 240
)

// DeviceError tells what is wrong with the text that names a device.
type DeviceError struct{ Text, Fault string }

func (e *DeviceError) Error() string { return fmt.Sprintf("device %q %s", e.Text, e.Fault) }

// Parse reads a device as a source names it: a kind, and after a question mark label or id, width, height and fps. The
// error is a *DeviceError.
func Parse(text string) (wire.Device, error) {
	name, query, _ := strings.Cut(text, "?")
	d := wire.Device{Kind: name}
	if !slices.Contains(kinds, name) {
		return d, &DeviceError{text, "is of no kind that is known: camera, microphone, screen, videotest and audiotest are"}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return d, &DeviceError{text, "can't be read: write label=NAME or id=ID after the question mark, with %25 for each % in them"}
	}
	for key, all := range values {
		if fault := set(&d, key, all); fault != "" {
			return d, &DeviceError{text, fault}
		}
	}
	if d.Label != "" && d.ID != "" {
		return d, &DeviceError{text, "has a label and an id: one of them is enough"}
	}
	return d, nil
}

// set sets what a key of the query stands for, and says what is wrong with it.
func set(d *wire.Device, key string, all []string) (fault string) {
	if len(all) > 1 {
		return "has " + key + " more than once"
	}
	value := all[0]
	switch key {
	case "label":
		d.Label = value
		return checkName(key, value)
	case "id":
		d.ID = value
		return checkName(key, value)
	case "width":
		return setNumber(&d.Width, d.Kind, key, value, maxSize)
	case "height":
		return setNumber(&d.Height, d.Kind, key, value, maxSize)
	case "fps":
		return setNumber(&d.FPS, d.Kind, key, value, maxFPS)
	}
	return fmt.Sprintf("has a key %q: label, id, width, height and fps are known", key)
}

// checkName refuses what no device is called, and what a pipeline's text could not hold.
func checkName(key, value string) string {
	odd := func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }
	switch {
	case value == "":
		return "has an empty " + key
	case strings.ContainsFunc(value, odd):
		return "has quotes, backslashes or control characters in its " + key
	}
	return ""
}

func setNumber(to *int, kind, key, value string, largest int) string {
	n, err := strconv.Atoi(value)
	switch {
	case kind == microphone || kind == audiotest:
		return fmt.Sprintf("has a %s, but a %s gives no pictures", key, kind)
	case err != nil || n < 1 || n > largest:
		return fmt.Sprintf("has a %s that is not a number from 1 to %d", key, largest)
	}
	*to = n
	return ""
}

// Name is the shortest text that Parse reads as the device that a list tells of.
func Name(d wire.DeviceInfo) string {
	switch {
	case d.Label != "" && checkName("label", d.Label) == "" && d.Kind != screen:
		return d.Kind + "?label=" + url.QueryEscape(d.Label)
	case d.ID != "" && checkName("id", d.ID) == "":
		return d.Kind + "?id=" + url.QueryEscape(d.ID)
	}
	return d.Kind
}
