package worker

import (
	"log/slog"
	"time"

	"sluice/worker/wire"
)

// Options says what a Pool starts.
type Options struct {
	// Name is that of the program: "gateway-gst" or "gateway-capture".
	Name string
	// Path is "auto" (beside our own executable, then in PATH; "" too), "off", or where the program is.
	Path string
	// Key names Path in the configuration, for OffError and NotInstalledError: "transcode.worker".
	Key string
	// Install is a sentence that says what to install: "install the package sluice-gst".
	Install string
	// Warm is how many isolated processes are kept ready, with WarmElements loaded.
	Warm         int
	WarmElements []string
	// Environ is the environment of workers. Nil: what Environ leaves of our own.
	Environ []string
	// CacheDir is where the plugin registry of GStreamer is kept. "": sluice in the user's cache folder, or, for root,
	// /var/cache/sluice-root. In place of a folder that can't be written to, or that an isolated worker can't read or
	// another user could write to, a temporary one.
	CacheDir string
	Log      *slog.Logger
}

// Deadlines that suit most workers; see Spec.
const (
	StartDeadline   = 5 * time.Second
	OutputDeadline  = 8 * time.Second
	SilenceDeadline = 2 * time.Second
)

// Spec says what one process does and when it is given up. A deadline of 0 is none.
type Spec struct {
	Job wire.Job
	// Label is for logs: "transcode door main:h264".
	Label string
	// Log gets what the process says and prints. Nil: that of Options.
	Log *slog.Logger
	// Isolate takes the network away and, when we are root, the user's rights. A right to do so that is missing is
	// told once and is no error. It sets Job.Sandboxed.
	Isolate bool
	// Start is the deadline from the start, or the hand-over of a warm process, to Ready.
	Start time.Duration
	// FirstOutput is the deadline from the first input to the first frame or result; from Ready for a job without
	// inputs. Frames that are flagged Preroll are no input.
	FirstOutput time.Duration
	// Silence is for how long input may go on, once there was output, without any more of it; for a job without
	// inputs, for how long there may be none.
	Silence time.Duration
	// Heartbeat is for how long a running worker may leave pings unanswered. 0: 3 s.
	Heartbeat time.Duration
	// Memory is how many resident bytes it may have. 0: 1 GiB, or half of what the machine has if that is less.
	Memory int64
	// Low gives way to other processes: nice +5, no warm process, and turns to start of its own.
	Low bool
}

const (
	defaultHeartbeat = 3 * time.Second
	maxDefaultMemory = 1 << 30
)

// defaultMemory leaves a small machine's system, and the gateway, the other half of it.
func defaultMemory() int64 {
	if all := machineMemory(); all > 0 {
		return min(maxDefaultMemory, all/2)
	}
	return maxDefaultMemory
}

// normal fills in the defaults.
func (s Spec) normal() Spec {
	if s.Heartbeat <= 0 {
		s.Heartbeat = defaultHeartbeat
	}
	if s.Memory <= 0 {
		s.Memory = defaultMemory()
	}
	s.Job.Sandboxed = s.Job.Sandboxed || s.Isolate
	return s
}
