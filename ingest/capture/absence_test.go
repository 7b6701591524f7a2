//go:build linux

package capture

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/ingest"
	"sluice/ingest/feed"
	"sluice/worker"
	"sluice/worker/wire"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// What workers say, as they do on machines that lack something.
var (
	noDisplay = &wire.Fault{Code: wire.FaultElement, Element: "ximagesrc", Message: "Could not open X display for reading"}
	crashed   = &worker.ExitError{Worker: "gateway-gst", Status: "exited with status 1", Stderr: "X connection to :0 broken"}
	cantOpen  = &wire.Fault{Code: wire.FaultElement, Element: "v4l2src", Message: "Could not open device '/dev/video0' for reading and writing."}
	busy      = &wire.Fault{Code: wire.FaultStart, Element: "HD Webcam", Message: "device or resource busy: another program may use it"}
	unknown   = &wire.Fault{Code: wire.FaultStart, Element: camera, Message: `there is none with the label "Front"; there is "HD Webcam"`}
	noSound   = &wire.Fault{Code: wire.FaultElement, Element: "alsasrc", Message: "Could not open audio device for recording."}
	noServer  = &wire.Fault{Code: wire.FaultElement, Element: "pulsesrc", Message: "Failed to connect: Connection refused"}
	missing   = &wire.Fault{Code: wire.FaultMissingElement, Element: "v4l2src", Package: "gstreamer1.0-plugins-good"}
)

// absences are devices that can't be captured: what users read of each is in testdata/absences.golden.
func absences(t *testing.T) map[string]string {
	t.Helper()
	bare := fakeMachine(t, nil, nil, nil)
	desk := fakeMachine(t, deskFiles, desktop, deskNodes)
	headless := fakeMachine(t, deskFiles, nil, deskNodes)
	forbidden := fakeMachine(t, deskFiles, nil, nil) // all nodes
	forbidden.open = func(string) error { return fs.ErrPermission }
	container := fakeMachine(t, deskFiles, nil, nil)
	container.node = func(string) (node, error) { return node{}, fs.ErrNotExist }
	container.open = func(string) error { return fs.ErrNotExist }
	all := map[string]string{}
	for name, c := range map[string]struct {
		device  string
		machine machine
		err     error
	}{
		"screen, no display":              {"screen", bare, noDisplay},
		"screen, no display, a server":    {"screen", headless, noDisplay},
		"screen, Wayland":                 {"screen", fakeMachine(t, nil, map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, nil), noDisplay},
		"screen, no server":               {"screen", fakeMachine(t, nil, desktop, nil), noDisplay},
		"screen, server has crashed":      {"screen", fakeMachine(t, nil, desktop, nil), crashed},
		"screen, another server":          {"screen?id=:7", desk, noDisplay},
		"screen, not let in":              {"screen", desk, noDisplay},
		"screen, worker crashed":          {"screen", desk, crashed},
		"camera, none":                    {"camera", bare, cantOpen},
		"camera, forbidden":               {"camera", forbidden, cantOpen},
		"camera, forbidden, by id":        {"camera?id=/dev/video2", forbidden, cantOpen},
		"camera, no file":                 {"camera", container, cantOpen},
		"camera, busy":                    {"camera?label=Webcam", desk, busy},
		"camera, no such label":           {"camera?label=Front", desk, unknown},
		"camera, package missing":         {"camera", desk, missing},
		"microphone, none":                {"microphone", bare, noSound},
		"microphone, forbidden":           {"microphone", forbidden, noSound},
		"microphone, no file":             {"microphone?label=Headset", container, noSound},
		"microphone, another program":     {"microphone", desk, noSound},
		"microphone, sound server away":   {"microphone", fakeMachine(t, nil, map[string]string{"PULSE_SERVER": "unix:/x"}, nil), noServer},
		"test picture, worker crashed":    {"videotest", bare, crashed},
		"test picture, worker was killed": {"videotest", bare, &worker.MemoryError{Worker: "gateway-gst", RSS: 3 << 30, Limit: 1 << 30}},
	} {
		d, err := Parse(c.device)
		if err != nil {
			t.Fatal(err)
		}
		told := c.machine.explain(c.device, d, c.err)
		if !errors.Is(told, c.err) {
			t.Errorf("%s: the worker's error is lost", name)
		}
		all[name] = told.Error()
	}
	for name, c := range map[string]struct {
		device  string
		machine machine
	}{
		"named, no such screen":     {"screen?label=Beamer", desk},
		"named, no screen":          {"screen?label=Beamer", bare},
		"named, no such camera":     {"camera?label=Front", desk},
		"named, no such microphone": {"microphone?id=hw:CARD=X", desk},
	} {
		d, err := Parse(c.device)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.machine.pipeline(d)
		all[name] = err.Error()
	}
	return all
}

// What is missing is told in a sentence that says what to do.
func TestAbsences(t *testing.T) {
	all := absences(t)
	all["no worker"] = noWorker(t).Error()
	all["list, nothing"] = strings.Join(fakeMachine(t, nil, nil, nil).absent(nil), "\n    ")
	all["list, no screen"] = strings.Join(fakeMachine(t, deskFiles, nil, deskNodes).absent([]wire.DeviceInfo{{Kind: camera}, {Kind: microphone}}), "\n    ")
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text.WriteString(name + ":\n    " + all[name] + "\n")
	}
	golden := filepath.Join("testdata", "absences.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("the texts are\n%s\nwant\n%s", &text, want)
	}
}

// noWorker is what a source ends with where no worker is installed.
func noWorker(t *testing.T) error {
	t.Helper()
	pool := func(name, install string) *worker.Pool {
		return worker.New(worker.Options{Name: name, Path: "/nonexistent/" + name, Install: install, Log: slog.New(slog.DiscardHandler)})
	}
	s := source(t, "camera", pool("gateway-capture", "install the package sluice-capture"), pool("gateway-gst", "install the package sluice-gst"))
	err := s.Run(t.Context(), nil)
	if !ingest.IsPermanent(err) {
		t.Errorf("a retry may mend %v", err)
	}
	return err
}

// failing is a worker that fails at once.
type failing struct {
	feed.Worker
	err error
}

func (f failing) Next(context.Context) (worker.Event, error) { return worker.Event{}, f.err }

// What ends a worker is told as it ends it; the end of the source is no fault of the device's.
func TestTold(t *testing.T) {
	s := source(t, "device:videotest", nil, nil)
	w := &told{failing{err: crashed}, s}
	var unavailable *UnavailableError
	if _, err := w.Next(t.Context()); !errors.As(err, &unavailable) || unavailable.Device != videotest {
		t.Errorf("failed with %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Next(gone); errors.As(err, &unavailable) || err == nil {
		t.Errorf("the end is told as %v", err)
	}
}
