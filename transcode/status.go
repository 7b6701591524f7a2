package transcode

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"sluice/media"
	"sluice/worker"
)

// State is how a worker does.
type State string

// The states. A failed worker is started again, unless its Error says what has to change first; no process runs then.
const (
	StateStarting State = "starting" // no frame has come out yet
	StateRunning  State = "running"
	StateFailed   State = "failed"
)

// KindSink is the Status.Kind of a sink.
const KindSink media.Kind = "sink"

// Status is one worker of a stream: an encoder of one track, or the sink.
type Status struct {
	Rendition  string     // that is read
	Makes      string     // the rendition of the configuration that it makes; "": none
	Kind       media.Kind // video, audio or KindSink
	Codec      media.Codec
	Height     int    // of a rendition of the configuration; 0: as the source has it
	Encoder    string // GStreamer element; "" while it is not known
	State      State
	Error      string // of the last failure; "" while it runs, for a sink when it has done so for some time
	Reduced    string // what is done less than asked for because the machine is too slow, in words; "": nothing
	PID        int    // of the process; 0 while there is none
	Restarts   uint64
	In         uint64 // frames, of this process and those before it
	Out        uint64
	Dropped    uint64
	CPU        time.Duration
	RSS        int64         // bytes
	FirstFrame time.Duration // from the start of the process; 0 before
}

// spend adds what a process has done that is no more.
func (s *Status) spend(p worker.Stats) {
	s.In, s.Out, s.Dropped, s.CPU = s.In+p.In, s.Out+p.Out, s.Dropped+p.Dropped, s.CPU+p.CPU
}

// add adds the process that runs.
func (s *Status) add(p worker.Stats) {
	s.spend(p)
	s.PID, s.RSS = p.PID, p.RSS
}

// Status lists the workers of the stream, the sink last. One that was given up is listed until it is tried again or the
// source sends something else.
func (t *Stream) Status() []Status {
	t.mu.Lock()
	jobs := make([]*job, 0, len(t.jobs))
	for _, j := range t.jobs {
		jobs = append(jobs, j)
	}
	faults := t.remembered()
	t.mu.Unlock()
	all := t.givenUp(faults)
	for _, j := range jobs {
		all = append(all, j.status())
	}
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Rendition, b.Rendition), -cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Codec, b.Codec), cmp.Compare(a.Height, b.Height))
	})
	if t.sink != nil {
		all = append(all, t.sink.status())
	}
	return all
}

// String names a job in logs: "main h264 360 lines".
func (k key) String() string {
	text := k.source + " " + string(k.codec)
	if k.height > 0 {
		text += fmt.Sprintf(" %d lines", k.height)
	}
	if k.fps > 0 {
		text += fmt.Sprintf(" %d fps", k.fps)
	}
	return text
}
