package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Transcode is how pictures and sound are made anew, and what the pipelines of the file may do.
type Transcode struct {
	// Worker is WorkerAuto, WorkerOff or the path of gateway-gst.
	Worker string `toml:"worker" apply:"restart"`
	// Encoder is "auto", or the GStreamer element that makes H.264.
	Encoder string `toml:"encoder" apply:"restart"`
	// Warm is how many workers are kept ready.
	Warm int `toml:"warm" min:"0" max:"16" apply:"restart"`
	// MaxWorkers bounds the encoders at one time; 0: one per core.
	MaxWorkers int `toml:"max_workers" min:"0" max:"1024" apply:"restart"`
	// Linger is how long an encoder stays after its last viewer.
	Linger time.Duration `toml:"linger" min:"0s" apply:"restart"`
	// AllowElements are GStreamer elements, refused by default, that the pipelines of the file may use.
	AllowElements []string `toml:"allow_elements" apply:"restart"`
}

// Devices is how cameras, microphones and screens of this machine are read.
type Devices struct {
	// Worker is WorkerAuto, WorkerOff or the path of gateway-capture.
	Worker string `toml:"worker" apply:"restart"`
}

// The words that a key worker takes in place of a path. WorkerAuto looks beside the gateway's own executable, then
// on PATH; with WorkerOff no worker is started.
const (
	WorkerAuto = "auto"
	WorkerOff  = "off"
)

// EncoderAuto leaves the choice of an encoder to what this machine proves to have.
const EncoderAuto = "auto"

// TranscodeMode says when a stream is made anew for a viewer.
type TranscodeMode string

// With TranscodeAuto that is what the viewer can't take as it is; TranscodeNever refuses such a viewer, and
// TranscodeAlways passes no picture on.
const (
	TranscodeAuto   TranscodeMode = "auto"
	TranscodeNever  TranscodeMode = "never"
	TranscodeAlways TranscodeMode = "always"
)

func (c Config) checkTranscode() Faults {
	var faults Faults
	faults.add("transcode.worker", checkWorker(c.Transcode.Worker, "gateway-gst"))
	faults.add("devices.worker", checkWorker(c.Devices.Worker, "gateway-capture"))
	faults.add("transcode.encoder", checkEncoder(c.Transcode.Encoder))
	for i, element := range c.Transcode.AllowElements {
		faults.add(fmt.Sprintf("transcode.allow_elements[%d]", i), checkElement(element))
	}
	return faults
}

func checkWorker(worker, program string) string {
	isPath := strings.Contains(worker, "/") && !strings.ContainsRune(worker, 0)
	if worker == WorkerAuto || worker == WorkerOff || isPath {
		return ""
	}
	return fmt.Sprintf(`%s is not "auto", "off" or a path, such as "/usr/lib/sluice/%s"`, quote(worker), program)
}

func checkEncoder(encoder string) string {
	if elementName.MatchString(encoder) {
		return ""
	}
	return quote(encoder) + ` is neither "auto" nor a GStreamer element's name, such as "x264enc": properties are the gateway's to set`
}

// elementName is the name of a GStreamer element factory.
var elementName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,127}$`)

func checkElement(element string) string {
	if elementName.MatchString(element) {
		return ""
	}
	return quote(element) + ` is not a GStreamer element's name, such as "filesink": each is written out`
}
