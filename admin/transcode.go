package admin

// Transcode is one encoder that works for a stream, or has just failed to.
type Transcode struct {
	Rendition     string  `json:"rendition"` // whose track is made anew
	Kind          string  `json:"kind"`      // video or audio
	Codec         string  `json:"codec"`     // what is made
	Encoder       string  `json:"encoder"`   // GStreamer element
	State         string  `json:"state"`     // starting, running or failed
	Error         string  `json:"error,omitempty"`
	PID           int     `json:"pid,omitempty"` // of the worker process, while there is one
	Restarts      uint64  `json:"restarts"`
	FramesIn      uint64  `json:"frames_in"`
	FramesOut     uint64  `json:"frames_out"`
	FramesDropped uint64  `json:"frames_dropped"` // that the worker did not take in time
	CPUSeconds    float64 `json:"cpu_seconds"`
	MemoryBytes   int64   `json:"memory_bytes"`
	FirstFrameMs  float64 `json:"first_frame_ms,omitempty"` // from the start of the process to its first frame; absent before it
}
