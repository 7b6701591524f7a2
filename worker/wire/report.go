package wire

import (
	"time"

	"sluice/media"
)

// Greeting is how a worker introduces itself.
type Greeting struct {
	Version int    // must be Version
	Worker  string // "gateway-gst"
	Release string // of the gateway that it was built with
	Library string `json:",omitempty"` // "GStreamer 1.22.0"
}

// Caps describes the frames of an output track from here on. Numbers that are not known are 0.
type Caps struct {
	Track     uint8
	Kind      media.Kind
	Codec     media.Codec
	Width     int    `json:",omitempty"`
	Height    int    `json:",omitempty"`
	FPSNum    int    `json:",omitempty"`
	FPSDen    int    `json:",omitempty"`
	ClockRate int    `json:",omitempty"` // Hz; sampling rate of sound
	Channels  int    `json:",omitempty"`
	CodecData []byte `json:",omitempty"`
	Text      string `json:",omitempty"` // as GStreamer writes them
	Encoder   string `json:",omitempty"` // element that made the frames, "" if the pipeline's own
}

// Stats is what a worker tells of itself each second. Frames are counted since it became ready.
type Stats struct {
	In      uint64        // frames that entered the pipeline
	Out     uint64        // frames that left it
	Dropped uint64        // frames that the worker had to drop
	Queue   int           // frames inside the pipeline's queues
	CPU     time.Duration // user and system time of the process
	RSS     int64         // resident memory of the process, in bytes
}

// DeviceInfo is a device that a worker has found. Formats is for people to read: "1280x720 30 fps MJPEG".
type DeviceInfo struct {
	Kind    string // "camera", "microphone" or "screen"
	Label   string
	ID      string   `json:",omitempty"`
	Formats []string `json:",omitempty"`
}

// ProbeResult is what a trial of an encoder has shown.
type ProbeResult struct {
	Element      string  // that was tried
	Frames       int     // that came out
	Milliseconds float64 // for each
	Profile      string  `json:",omitempty"` // profile-level-id of the SPS, 6 hex digits (RFC 6184 8.1); "" for other codecs
	BFrames      bool    `json:",omitempty"` // frames came in another order than they are shown
	ForceKey     bool    // a keyframe came when one was asked for
}
