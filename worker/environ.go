package worker

import (
	"slices"
	"strings"
)

// passed are the variables that workers get of our own environment. What else is there, such as secrets that the
// service manager has set, is none of their business.
var passed = []string{
	"PATH", "HOME", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "PULSE_SERVER",
	"GST_PLUGIN_PATH", "GST_DEBUG", "LD_LIBRARY_PATH", "LIBVA_DRIVER_NAME", "TZ",
}

// Environ leaves of an environment, as of os.Environ, what a worker may see: where programs and plugins are, how loud
// GStreamer is, where the desktop, its sound and its graphics card are, and which time a clock in a picture shows.
func Environ(env []string) []string {
	var kept []string
	for _, v := range env {
		if name, _, _ := strings.Cut(v, "="); slices.Contains(passed, name) {
			kept = append(kept, v)
		}
	}
	return kept
}
