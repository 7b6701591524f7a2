package capture

import (
	"fmt"
	"path/filepath"
	"strings"

	"sluice/worker/wire"
)

// sockets is where the X servers of a machine listen.
const sockets = "tmp/.X11-unix/X"

// screens is the X display that the environment names, if its server is there.
func (m machine) screens() []local {
	display := m.getenv("DISPLAY")
	if display == "" || !m.served(display) {
		return nil
	}
	return []local{{DeviceInfo: wire.DeviceInfo{Kind: screen, Label: "Screen " + display, ID: display}}}
}

// served reports whether an X server has a display. Of other machines' displays that can't be told: they may be.
func (m machine) served(display string) bool {
	number, here := strings.CutPrefix(display, ":")
	if !here {
		return true
	}
	number, _, _ = strings.Cut(number, ".")
	return m.dial(filepath.Join(m.root, sockets+number)) == nil
}

// displays are those of this machine that have a server, in quotes.
func (m machine) displays() []string {
	files, _ := filepath.Glob(filepath.Join(m.root, sockets+"*"))
	var all []string
	for _, f := range files {
		if m.dial(f) == nil {
			all = append(all, fmt.Sprintf("%q", ":"+strings.TrimPrefix(filepath.Base(f), "X")))
		}
	}
	return all
}
