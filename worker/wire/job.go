package wire

import "sluice/media"

// Role is what a worker is started for.
type Role string

// The roles of a worker. RoleDevice and RoleList are those of gateway-capture, all others those of gateway-gst.
const (
	RoleTranscode Role = "transcode" // frames in, frames out
	RoleSource    Role = "source"    // frames out of the user's own pipeline
	RoleSink      Role = "sink"      // frames into the user's own pipeline
	RoleProbe     Role = "probe"     // runs an encoder for a moment; the result is a ProbeResult
	RoleDevice    Role = "device"    // frames of a camera, microphone or screen
	RoleList      Role = "list"      // the result is a []DeviceInfo
)

// Job is all that a worker needs to know. The pipeline's text, the choice of encoders and their properties are made
// by the gateway; the worker carries them out.
type Job struct {
	Role Role `json:",omitempty"`
	// Pipeline is what gst_parse_launch gets. It is complete, with named appsrc and appsink elements, for all roles
	// but RoleSource, where it holds the user's own text.
	Pipeline string `json:",omitempty"`
	// Elements stands for what the gateway can't know, which elements are installed: where Pipeline says {name}, the
	// first candidate under that name goes whose elements exist. See Resolve.
	Elements map[string][]string `json:",omitempty"`
	// Inputs are the appsrc elements, by track. A frame of a track that has none is dropped.
	Inputs []Port `json:",omitempty"`
	// Outputs are the appsink elements, by track. RoleSource: empty means that loose pads are found.
	Outputs []Port `json:",omitempty"`
	// Properties are set before the pipeline starts, each only where the element exists and has it.
	Properties []Property `json:",omitempty"`
	// Encoders is what is appended to a raw pad of RoleSource, at most one for each kind.
	Encoders []RawEncoder `json:",omitempty"`
	// Controls tells how messages of TypeBitrate are applied.
	Controls []Control `json:",omitempty"`
	// Allow names elements that are refused otherwise (transcode.allow_elements).
	Allow []string `json:",omitempty"`
	// Limits are kept by the worker itself.
	Limits Limits
	// Sandboxed asks the worker to give up rights at once: no new privileges, no core dumps, resource limits.
	Sandboxed bool `json:",omitempty"`
	// Preroll asks for a probe at the sink pad of the element named "encoder" that drops every frame at or before
	// the newest PTS that came with the flag Preroll: such frames are decoded but not encoded.
	Preroll bool `json:",omitempty"`
	// Waits tells that RoleSource waits for somebody who sends, or RoleSink for somebody who receives: that nothing
	// comes, or goes, is no fault.
	Waits bool `json:",omitempty"`
	// Device is what RoleDevice opens.
	Device *Device `json:",omitempty"`
	// Warm names elements to load beforehand. The first Job of a warm worker holds nothing else, and a second one
	// follows when there is something to do.
	Warm []string `json:",omitempty"`
}

// Port is one named appsrc or appsink.
type Port struct {
	Name  string
	Kind  media.Kind
	Codec media.Codec
	Caps  string `json:",omitempty"` // of an appsrc, as GStreamer writes caps
}

// Property is a property of an element, its value in the text form of gst_parse_launch.
type Property struct{ Element, Name, Value string }

// RawEncoder encodes what a pad of RoleSource gives raw.
type RawEncoder struct {
	Kind media.Kind
	// Chain is the text of a bin from raw to coded; its one %s is the encoder's name. "": there is no encoder, and
	// Absent tells why.
	Chain  string
	Absent string `json:",omitempty"`
	// Properties are set on the encoder: Property.Element is empty.
	Properties []Property `json:",omitempty"`
	// Bitrate tells how the encoder's bitrate is set: Track and Element are filled in by the worker.
	Bitrate Control
}

// Control tells which property of which element holds the bitrate of an output track.
type Control struct {
	Track    uint8
	Element  string
	Property string
	// Unit is bit/s for 1 of the property: 1000 where it counts kbit/s. 0: the bitrate can't be changed.
	Unit int
	// ExtraControls tells that the property is a field of the structure extra-controls (v4l2h264enc).
	ExtraControls bool `json:",omitempty"`
}

// Limits bound what a pipeline may use; 0 means no limit.
type Limits struct {
	MaxPixels    int `json:",omitempty"` // width × height of raw caps
	Files        int `json:",omitempty"` // open descriptors
	StateSeconds int `json:",omitempty"` // for a change of state; 0: 10
}

// Device is a local device, and how it is captured. Kind is "camera", "microphone", "screen", "videotest" or
// "audiotest"; Label and ID choose among several and may be empty; numbers that are 0 are the device's choice.
type Device struct {
	Kind        string
	Label       string `json:",omitempty"`
	ID          string `json:",omitempty"`
	Width       int    `json:",omitempty"`
	Height      int    `json:",omitempty"`
	FPS         int    `json:",omitempty"`
	BitrateKbps int    `json:",omitempty"`
}
