package admin

// Transcode is one encoder that works for a stream, or has just failed to.
type Transcode struct {
	Rendition     string  `json:"rendition"`        // whose track is made anew
	Makes         string  `json:"makes,omitempty"`  // the rendition of the configuration that it makes; absent if that is none
	Kind          string  `json:"kind"`             // video, audio or sink
	Codec         string  `json:"codec"`            // what is made
	Height        int     `json:"height,omitempty"` // that the rendition is given; absent if it is the source's
	Encoder       string  `json:"encoder"`          // GStreamer element
	State         string  `json:"state"`            // starting, running or failed
	Error         string  `json:"error,omitempty"`
	Reduced       string  `json:"reduced,omitempty"` // what is done less than asked for because the machine is too slow, in words
	PID           int     `json:"pid,omitempty"`     // of the worker process, while there is one
	Restarts      uint64  `json:"restarts"`
	FramesIn      uint64  `json:"frames_in"`
	FramesOut     uint64  `json:"frames_out"`
	FramesDropped uint64  `json:"frames_dropped"` // that the worker did not take in time
	CPUSeconds    float64 `json:"cpu_seconds"`
	MemoryBytes   int64   `json:"memory_bytes"`
	FirstFrameMs  float64 `json:"first_frame_ms,omitempty"` // from the start of the process to its first frame; absent before it
}
