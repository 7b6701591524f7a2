//go:build capture

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	_ "github.com/pion/mediadevices/pkg/driver/videotest" // registers the test picture

	"github.com/pion/mediadevices/pkg/driver"
	"github.com/pion/mediadevices/pkg/driver/camera"
	"github.com/pion/mediadevices/pkg/driver/screen"
	"github.com/pion/mediadevices/pkg/prop"

	"sluice/worker/wire"
)

// found is a device of mediadevices under the name that users know it by. The library's own IDs are random.
type found struct {
	info   wire.DeviceInfo
	driver driver.Driver
}

// testLabels are the labels under which the library registers its test devices.
var testLabels = map[string]string{"videotest": "VideoTest", "audiotest": "AudioTest"}

// find finds the device that is asked for.
func find(d wire.Device) (found, error) {
	if d.Kind == "screen" {
		selectDisplay(d.ID)
		d.ID = ""
	}
	all := devices(d.Kind)
	if len(all) == 0 {
		return found{}, absent(d.Kind)
	}
	infos := make([]wire.DeviceInfo, len(all))
	for i, f := range all {
		infos[i] = f.info
	}
	i, err := match(infos, d)
	if err != nil {
		return found{}, err
	}
	return all[i], nil
}

// selectDisplay has the screens of another X display found instead.
func selectDisplay(display string) {
	if display == "" || display == os.Getenv("DISPLAY") {
		return
	}
	_ = os.Setenv("DISPLAY", display)
	for _, d := range driver.GetManager().Query(driver.FilterDeviceType(driver.Screen)) {
		driver.GetManager().Delete(d.ID())
	}
	screen.Initialize()
}

// devices are those of a kind, in the order in which the system counts them.
func devices(kind string) []found {
	var all []found
	for _, d := range driver.GetManager().Query(func(driver.Driver) bool { return true }) {
		if info, ok := describe(d); ok && info.Kind == kind {
			all = append(all, found{info, d})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return compareIDs(a.info.ID, b.info.ID) })
	return all
}

// compareIDs puts /dev/video2 before /dev/video10.
func compareIDs(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// describe names a device of the library: "card name;bus" and "path;video0" stand for a camera, "X11Screen0" for a
// screen.
func describe(d driver.Driver) (wire.DeviceInfo, bool) {
	info := d.Info()
	for kind, label := range testLabels {
		if info.Label == label {
			return wire.DeviceInfo{Kind: kind, Label: label}, true
		}
	}
	switch info.DeviceType {
	case driver.Camera:
		_, node, _ := strings.Cut(info.Label, camera.LabelSeparator)
		name, _, _ := strings.Cut(info.Name, camera.LabelSeparator)
		if name == "" {
			name = node
		}
		return wire.DeviceInfo{Kind: "camera", Label: name, ID: "/dev/" + node}, true
	case driver.Screen:
		display := os.Getenv("DISPLAY")
		if n := strings.TrimPrefix(info.Label, "X11Screen"); n != "0" {
			display = strings.SplitN(display, ".", 2)[0] + "." + n
		}
		return wire.DeviceInfo{Kind: "screen", Label: "Screen " + display, ID: display}, true
	}
	return wire.DeviceInfo{}, false
}

// match picks the device that is asked for: by ID, else by label, as it is written or a part of it, else the first.
func match(all []wire.DeviceInfo, d wire.Device) (int, error) {
	if len(all) == 0 {
		return 0, absent(d.Kind)
	}
	if d.ID == "" && d.Label == "" {
		return 0, nil
	}
	for _, fits := range []func(wire.DeviceInfo) bool{
		func(i wire.DeviceInfo) bool { return d.ID != "" && i.ID == d.ID },
		func(i wire.DeviceInfo) bool { return d.ID == "" && i.Label == d.Label },
		func(i wire.DeviceInfo) bool {
			return d.ID == "" && strings.Contains(strings.ToLower(i.Label), strings.ToLower(d.Label))
		},
	} {
		if i := slices.IndexFunc(all, fits); i >= 0 {
			return i, nil
		}
	}
	return 0, unknown(all, d)
}

// list tells the gateway what there is.
func list(l *link) error {
	all := []wire.DeviceInfo{}
	for _, kind := range []string{"camera", "screen"} {
		for _, f := range devices(kind) {
			if modes, ok := modes(f.driver); ok {
				f.info.Formats = modes
				all = append(all, f.info)
			}
		}
	}
	all = append(all, sounds()...)
	if err := l.send(&wire.Message{Type: wire.TypeReady}); err != nil {
		return err
	}
	return l.send(wire.JSON(wire.TypeResult, all))
}

// sounds are the microphones; none where there is no sound.
func sounds() []wire.DeviceInfo {
	system, err := soundSystem()
	if err != nil {
		return nil
	}
	defer closeSound(system)
	all, err := microphones(system)
	if err != nil {
		return nil
	}
	infos := make([]wire.DeviceInfo, len(all))
	for i, m := range all {
		infos[i] = m.info
	}
	return infos
}

// modes are the formats of a device, as people read them. It reports false for a device that gives no pictures, such
// as the second node of most USB cameras; one that can't be opened now is a device all the same.
func modes(d driver.Driver) ([]string, bool) {
	if err := d.Open(); err != nil {
		return nil, true
	}
	defer d.Close()
	properties := d.Properties()
	var all []string
	for _, m := range properties {
		all = append(all, mode(m))
	}
	return distinct(all), len(properties) > 0
}

// mode is one format: "1280x720 30 fps MJPEG".
func mode(m prop.Media) string {
	text := fmt.Sprintf("%dx%d", m.Width, m.Height)
	if m.FrameRate > 0 {
		text += fmt.Sprintf(" %g fps", m.FrameRate)
	}
	return text + " " + string(m.FrameFormat)
}

// distinct is a list without what comes again.
func distinct(list []string) []string {
	var all []string
	for _, s := range list {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
