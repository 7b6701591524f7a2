package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// devicePrefix begins a source that is a device of this machine.
const devicePrefix = "device:"

// The kinds of device, those with a picture and those with sound only.
const (
	pictureDevices = "camera screen videotest"
	soundDevices   = "microphone audiotest"
)

// maxDeviceBytes bounds label and id together with the rest of the query.
const maxDeviceBytes = 1024

// deviceNumbers are the keys of a device's query that are numbers, with the largest of each.
var deviceNumbers = map[string]int{"width": 8192, "height": 8192, "fps": 240}

// Device returns the text after "device:" of such a source, such as "camera?label=USB"; "" for every other source.
func (s Stream) Device() string {
	text, ok := strings.CutPrefix(s.Source, devicePrefix)
	if !ok {
		return ""
	}
	return text
}

// checkDevice returns what is wrong with the text after "device:", "" if nothing is.
func checkDevice(text string) string {
	kind, query, asked := strings.Cut(text, "?")
	switch {
	case strings.Contains(text, streamReference):
		return "has ${stream}, with which whoever watches would choose the device"
	case len(text) > maxDeviceBytes:
		return fmt.Sprintf("names a device in %d bytes; at most %d are read", len(text), maxDeviceBytes)
	case !oneOf(kind, pictureDevices+" "+soundDevices):
		return quote(kind) + " is not a kind of device: camera, microphone, screen, videotest and audiotest are"
	case !asked:
		return ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return `has a query that can't be read: write label=NAME or id=ID after the ?, and in them % as %25, & as %26 and ; as %3B`
	}
	return checkDeviceQuery(kind, values)
}

func checkDeviceQuery(kind string, values url.Values) string {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		largest, isNumber := deviceNumbers[key]
		value := values.Get(key)
		switch {
		case !isNumber && key != "label" && key != "id":
			return quote(key) + " is not one of label, id, width, height, fps"
		case len(values[key]) > 1:
			return "has " + key + " more than once"
		case value == "" || strings.ContainsRune(value, 0):
			return "has no " + key + " after " + key + "="
		case isNumber && oneOf(kind, soundDevices):
			return fmt.Sprintf("has %s, which a %s has not", key, kind)
		case isNumber && !inRange(value, largest):
			return fmt.Sprintf("has a %s that is not a number from 1 to %d", key, largest)
		}
	}
	if values.Has("label") && values.Has("id") {
		return "has label and id: one of them names the device"
	}
	return ""
}

func inRange(text string, largest int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 1 && n <= largest
}
