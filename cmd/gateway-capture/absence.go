//go:build capture

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluice/worker/wire"
)

// What users of a Debian system can do about a device that is not theirs.
const (
	pictureGroup = "the gateway's user must be in the group video (usermod -aG video USER)"
	soundGroup   = "the gateway's user must be in the group audio (usermod -aG audio USER)"
)

// absent says why there is no device of a kind, and what to do.
func absent(kind string) error {
	message := "there is none"
	switch kind {
	case "camera":
		message = noCamera()
	case "screen":
		message = noScreen()
	case "microphone":
		return noSound(errors.New("there is no microphone"))
	}
	return &wire.Fault{Code: wire.FaultStart, Element: kind, Message: message}
}

func noCamera() string {
	if nodes, _ := filepath.Glob("/dev/video*"); len(nodes) == 0 {
		return "no camera was found: there is no /dev/video*; plug one in, or load its driver"
	}
	return "no camera can be used: " + pictureGroup
}

func noScreen() string {
	display := os.Getenv("DISPLAY")
	switch {
	case display != "":
		return fmt.Sprintf("the X display %q can't be opened: the X server must run, and XAUTHORITY must name a file that lets the gateway in", display)
	case os.Getenv("WAYLAND_DISPLAY") != "":
		return "this is a Wayland session, in which no program may see the screen: log in to an X11 session"
	}
	return "DISPLAY is not set: start the gateway in the desktop's session, or name the display, as in device:screen?id=:0"
}

// noSound says what is in the way of sound.
func noSound(err error) error {
	message := err.Error() + ": plug in a microphone, and install libasound2 or a sound server (pipewire-pulse, pulseaudio)"
	if _, statErr := os.Stat("/dev/snd"); statErr == nil {
		message = err.Error() + ": " + soundGroup
	}
	return &wire.Fault{Code: wire.FaultStart, Element: "microphone", Message: message}
}

// refused is the fault of a device that can't be opened.
func refused(f found, err error) error {
	message := err.Error()
	switch {
	case f.info.Kind == "screen":
		message += ": " + noScreen()
	case errors.Is(err, fs.ErrPermission):
		message += ": " + pictureGroup
	case f.info.Kind == "camera":
		message += ": another program may use it"
	}
	return &wire.Fault{Code: wire.FaultStart, Element: f.info.Label, Message: message}
}

// unknown says which devices there are instead.
func unknown(all []wire.DeviceInfo, d wire.Device) error {
	names := make([]string, len(all))
	for i, info := range all {
		names[i] = fmt.Sprintf("%q", info.Label)
		if d.ID != "" {
			names[i] = fmt.Sprintf("%q", info.ID)
		}
	}
	wanted := fmt.Sprintf("label %q", d.Label)
	if d.ID != "" {
		wanted = fmt.Sprintf("ID %q", d.ID)
	}
	return &wire.Fault{
		Code: wire.FaultStart, Element: d.Kind,
		Message: "there is none with the " + wanted + "; there is " + strings.Join(names, ", "),
	}
}
