package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sluice/worker/wire"
)

// UnavailableError tells why a device can't be captured now.
type UnavailableError struct {
	Device string // as the source names it, without "device:"
	Reason string // what is the matter, and what to do about it where that is known
	Err    error  // of the worker
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s can't be captured: %s", e.Device, e.Reason)
}

// Unwrap gives the worker's error.
func (e *UnavailableError) Unwrap() error { return e.Err }

// explain puts into words why a worker has failed with a device. What the machine shows to be the matter goes before
// what the worker says, which knows less of it.
func (m machine) explain(name string, d wire.Device, err error) error {
	return &UnavailableError{Device: name, Reason: cmp.Or(m.reason(d, err), words(err)), Err: err}
}

// words are an error's, without those that speak of a pipeline where the user has written none.
func words(err error) string {
	var f *wire.Fault
	if !errors.As(err, &f) || f.Message == "" {
		return err.Error()
	}
	switch f.Code {
	case wire.FaultStart, wire.FaultState, wire.FaultElement:
		return f.Message
	}
	return err.Error()
}

// reason is what stands between the gateway and a device, as far as the machine shows; "" if all looks well.
func (m machine) reason(d wire.Device, err error) string {
	switch d.Kind {
	case camera:
		return m.noCamera(d)
	case microphone:
		return m.noMicrophone(d, err)
	case screen:
		return m.noScreen(d, err)
	}
	return ""
}

// Absent says of each kind of device that a list lacks why that is so, as far as the machine shows.
func Absent(all []wire.DeviceInfo) []string { return thisMachine().absent(all) }

func (m machine) absent(all []wire.DeviceInfo) []string {
	var why []string
	for _, kind := range []string{camera, microphone, screen} {
		if slices.ContainsFunc(all, func(d wire.DeviceInfo) bool { return d.Kind == kind }) {
			continue
		}
		if r := m.reason(wire.Device{Kind: kind}, &NotFoundError{Kind: kind}); r != "" {
			why = append(why, r)
		}
	}
	return why
}

func (m machine) noCamera(d wire.Device) string {
	path := d.ID
	if !strings.HasPrefix(path, "/") {
		found, err := find(m.cameras(), d)
		if err != nil {
			return none(err)
		}
		path = found.ID
	}
	if isLibcameraName(path) {
		return ""
	}
	_, err := m.node(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return forbidden(path, "video")
	case errors.Is(err, fs.ErrNotExist):
		if _, err := find(m.cameras(), d); err != nil {
			return none(err)
		}
		return path + " is missing though the system has that camera: a container has to be given the device"
	}
	return ""
}

func (m machine) noMicrophone(d wire.Device, err error) string {
	card, _, ofCard := cardID(d.ID)
	var f *wire.Fault
	switch {
	case errors.As(err, &f) && f.Element == "pulsesrc":
		return "the sound server (PipeWire, PulseAudio) must run, and let the gateway's user in: " + words(err)
	case m.soundServer() && !ofCard:
		return ""
	}
	d.ID = card
	found, err := find(m.cards(), d)
	if err != nil {
		return none(err)
	}
	switch err := m.open(found.control); {
	case errors.Is(err, fs.ErrPermission):
		return forbidden(found.control, "audio")
	case errors.Is(err, fs.ErrNotExist):
		return found.control + " is missing though the system has that sound card: a container has to be given /dev/snd"
	}
	return ""
}

func (m machine) noScreen(d wire.Device, err error) string {
	display := cmp.Or(d.ID, m.getenv("DISPLAY"))
	switch {
	case display == "" && m.getenv("WAYLAND_DISPLAY") != "":
		return "this is a Wayland session, in which no program may see the screen: log in to an X11 session"
	case display == "":
		return "DISPLAY is not set: start the gateway in the desktop's session, or name the display, as in device:screen?id=:0" + m.others()
	case !m.served(display):
		return fmt.Sprintf("no X server has the display %q: start it, or name another%s", display, m.others())
	case strings.Contains(err.Error(), "X display"): // could not be opened, as either worker says
		return fmt.Sprintf("the X server of %q does not let the gateway in: XAUTHORITY must name a file that does, such as ~/.Xauthority of the desktop's user", display)
	}
	return ""
}

// none is the text of a *NotFoundError where there is no device of the kind. Where there are others, the worker tells
// of them by the names that it knows.
func none(err error) string {
	var e *NotFoundError
	if errors.As(err, &e) && len(e.There) == 0 {
		return e.Error()
	}
	return ""
}

// others tells which displays could be named.
func (m machine) others() string {
	if all := m.displays(); len(all) > 0 {
		return "; there is " + strings.Join(all, ", ")
	}
	return ""
}

func forbidden(path, group string) string {
	return fmt.Sprintf("%s may not be opened: the gateway's user must be in the group %s (usermod -aG %s USER)", path, group, group)
}
