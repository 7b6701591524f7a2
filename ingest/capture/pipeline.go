package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sluice/worker/wire"
)

// Drivers of a Raspberry Pi's own cameras, which give what only libcamera can make a picture of.
var libcameraDrivers = []string{"unicam", "rp1-cfe"}

const (
	defaultFPS = 30
	testWidth  = 1280
	testHeight = 720
)

// pipeline is the text that captures a device. The error is a *NotFoundError.
func (m machine) pipeline(d wire.Device) (string, error) {
	switch d.Kind {
	case camera:
		return m.camera(d)
	case microphone:
		return m.microphone(d)
	case screen:
		return m.screen(d)
	case audiotest:
		return "audiotestsrc is-live=true freq=480 volume=0.25 samplesperbuffer=960 ! " +
			caps("audio/x-raw,rate=48000,channels=2"), nil
	}
	d.Width, d.Height, d.FPS = cmp.Or(d.Width, testWidth), cmp.Or(d.Height, testHeight), cmp.Or(d.FPS, defaultFPS)
	return "videotestsrc is-live=true horizontal-speed=2 ! " + caps("video/x-raw"+mode(d)), nil
}

// camera takes what the camera has encoded itself, which costs nothing and needs the least of its bus.
func (m machine) camera(d wire.Device) (string, error) {
	if isLibcameraName(d.ID) {
		return libcamera(d, d.ID), nil
	}
	found, err := m.findCamera(d)
	if err != nil {
		return "", err
	}
	if slices.Contains(libcameraDrivers, found.driver) {
		return libcamera(d, ""), nil
	}
	text := fmt.Sprintf("v4l2src device=%q ! ", found.ID)
	size := modeUpTo1080(d)
	switch {
	case slices.Contains(found.Formats, "H264"):
		return text + "video/x-h264" + size + " ! h264parse", nil
	case slices.Contains(found.Formats, "MJPEG"):
		return text + "image/jpeg" + size + " ! jpegparse", nil
	}
	return text + caps("video/x-raw"+size), nil
}

// findCamera finds a camera that the system lists, or one that a link such as those in /dev/v4l/by-id names.
func (m machine) findCamera(d wire.Device) (local, error) {
	found, err := find(m.cameras(), d)
	if err == nil || !strings.HasPrefix(d.ID, "/dev/") {
		return found, err
	}
	n, nodeErr := m.node(d.ID)
	if nodeErr != nil {
		return local{}, err
	}
	return local{DeviceInfo: wire.DeviceInfo{ID: d.ID, Formats: n.Formats}, driver: n.Driver}, nil
}

// needsLibcamera reports whether a device is a camera that only libcamera can make a picture of.
func (m machine) needsLibcamera(d wire.Device) bool {
	if d.Kind != camera {
		return false
	}
	if isLibcameraName(d.ID) {
		return true
	}
	found, err := m.findCamera(d)
	return err == nil && slices.Contains(libcameraDrivers, found.driver)
}

// isLibcameraName reports whether an ID is that which libcamera itself gives a camera.
func isLibcameraName(id string) bool { return strings.HasPrefix(id, "/base/") }

// libcamera is a Raspberry Pi's own camera; name chooses among several.
func libcamera(d wire.Device, name string) string {
	d.Width, d.Height, d.FPS = cmp.Or(d.Width, testWidth), cmp.Or(d.Height, testHeight), cmp.Or(d.FPS, defaultFPS)
	text := "libcamerasrc"
	if name != "" {
		text += fmt.Sprintf(" camera-name=%q", name)
	}
	return text + " ! " + caps("video/x-raw,format=NV12"+mode(d))
}

func (m machine) microphone(d wire.Device) (string, error) {
	format := " ! audioconvert ! " + caps("audio/x-raw,channels=[1,2]")
	card, part, ofCard := cardID(d.ID)
	switch {
	case m.soundServer() && d.Label == "" && d.ID == "":
		return "pulsesrc" + format, nil
	case m.soundServer() && d.ID != "" && !ofCard:
		return fmt.Sprintf("pulsesrc device=%q", d.ID) + format, nil
	}
	d.ID = card
	found, err := find(m.cards(), d)
	if err != nil {
		return "", err
	}
	if d.Label == "" && d.ID == "" {
		return "alsasrc" + format, nil
	}
	// plughw converts what the card can't do itself.
	return fmt.Sprintf("alsasrc device=%q", "plug"+found.ID+part) + format, nil
}

// cardID takes ALSA's name of a device apart: "plughw:CARD=X,DEV=1" is a part ",DEV=1" of the card "hw:CARD=X". It
// reports false for other names, which are those of a sound server, and leaves them as they are.
func cardID(id string) (card, part string, ofCard bool) {
	name := strings.TrimPrefix(id, "plug")
	if !strings.HasPrefix(name, "hw:") {
		return id, "", false
	}
	card, part, found := strings.Cut(name, ",")
	if found {
		part = "," + part
	}
	return card, part, true
}

// screen captures at a steady rate whatever has changed, so that a viewer who comes sees a picture at once.
func (m machine) screen(d wire.Device) (string, error) {
	if d.Label != "" {
		found, err := find(m.screens(), d)
		if err != nil {
			return "", err
		}
		d.ID = found.ID
	}
	text := "ximagesrc use-damage=false"
	if display := cmp.Or(d.ID, m.getenv("DISPLAY")); display != "" {
		text += fmt.Sprintf(" display-name=%q", display)
	}
	text += " ! " + caps(fmt.Sprintf("video/x-raw,framerate=%d/1", cmp.Or(d.FPS, defaultFPS)))
	if d.Width > 0 || d.Height > 0 {
		d.FPS = 0
		text += " ! videoscale ! " + caps("video/x-raw"+mode(d)+",pixel-aspect-ratio=1/1")
	}
	return text, nil
}

// caps is an element, since caps alone can't end a pipeline.
func caps(text string) string { return "capsfilter caps=" + text }

// mode is what caps say of size and rate, as far as it is asked for.
func mode(d wire.Device) string {
	text := ""
	if d.Width > 0 {
		text += fmt.Sprintf(",width=%d", d.Width)
	}
	if d.Height > 0 {
		text += fmt.Sprintf(",height=%d", d.Height)
	}
	if d.FPS > 0 {
		text += fmt.Sprintf(",framerate=%d/1", d.FPS)
	}
	return text
}

// modeUpTo1080 is mode, but for a camera that would choose its largest picture otherwise, at a few frames a second.
func modeUpTo1080(d wire.Device) string {
	if d.Width == 0 && d.Height == 0 {
		return ",width=[1,1920],height=[1,1080]" + mode(d)
	}
	return mode(d)
}
