package metrics

import "github.com/prometheus/client_golang/prometheus"

// Transcoder is a Gateway that makes pictures and sound anew.
type Transcoder interface {
	TranscodeMetrics() []Transcode
	WorkerMetrics() Workers
}

// Transcode is what is counted of encoders. Those of the same stream, kind and codec are added up; what only grows
// counts those too that have ended.
type Transcode struct {
	Stream, Kind, Codec string

	Jobs             int // encoders now
	Restarts         uint64
	In, Out, Dropped uint64  // frames
	CPUSeconds       float64 // of the worker processes
	MemoryBytes      int64   // of the worker processes now
	FirstFrame       float64 // seconds from the start of the process to its first frame; 0 before it
}

// Workers is what is counted of worker processes.
type Workers struct {
	Starts    map[string]uint64 // by program: gateway-gst, gateway-capture
	Warm      int               // ready and without a job
	Abandoned map[string]uint64 // by program: those that a driver of the system held when they were to be killed
}

var (
	descJobs       = desc("transcode_jobs", "Encoders that work for a stream; its sink is one of the kind sink.", "stream", "kind", "codec")
	descRestarts   = desc("transcode_restarts_total", "Times that an encoder was started anew after a failure.", "stream", "kind", "codec")
	descFrames     = desc("transcode_frames_total", "Frames into and out of encoders, and those that they did not take in time.", "stream", "kind", "codec", "direction")
	descCPU        = desc("transcode_cpu_seconds_total", "CPU time of encoders' worker processes.", "stream", "kind", "codec")
	descMemory     = desc("transcode_memory_bytes", "Resident memory of encoders' worker processes.", "stream", "kind", "codec")
	descFirstFrame = desc("transcode_first_frame_seconds", "Time from the start of an encoder's process to its first frame; of several encoders the longest.", "stream", "kind", "codec")
	descStarts     = desc("worker_starts_total", "Worker processes started.", "worker")
	descAbandoned  = desc("worker_abandoned_total", "Worker processes that could not be killed, because a driver of the system holds them.", "worker")
	descWarm       = desc("worker_warm", "Worker processes that are ready and have no job.")
)

func collectTranscoder(out chan<- prometheus.Metric, t Transcoder) {
	for _, sum := range addUp(t.TranscodeMetrics()) {
		collectTranscode(out, sum)
	}
	w := t.WorkerMetrics()
	counters(out, w.Starts, descStarts)
	counters(out, w.Abandoned, descAbandoned)
	gauge(out, descWarm, float64(w.Warm))
}

// addUp makes one of those that have the same labels.
func addUp(all []Transcode) map[Transcode]Transcode {
	sums := make(map[Transcode]Transcode)
	for _, t := range all {
		labels := Transcode{Stream: t.Stream, Kind: t.Kind, Codec: t.Codec}
		sum, ok := sums[labels]
		if !ok {
			sum = labels
		}
		sum.Jobs += t.Jobs
		sum.Restarts += t.Restarts
		sum.In, sum.Out, sum.Dropped = sum.In+t.In, sum.Out+t.Out, sum.Dropped+t.Dropped
		sum.CPUSeconds += t.CPUSeconds
		sum.MemoryBytes += t.MemoryBytes
		sum.FirstFrame = max(sum.FirstFrame, t.FirstFrame)
		sums[labels] = sum
	}
	return sums
}

func collectTranscode(out chan<- prometheus.Metric, t Transcode) {
	labels := []string{t.Stream, t.Kind, t.Codec}
	gauge(out, descJobs, float64(t.Jobs), labels...)
	counter(out, descRestarts, t.Restarts, labels...)
	counters(out, map[string]uint64{"in": t.In, "out": t.Out, "dropped": t.Dropped}, descFrames, labels...)
	out <- prometheus.MustNewConstMetric(descCPU, prometheus.CounterValue, t.CPUSeconds, labels...)
	gauge(out, descMemory, float64(t.MemoryBytes), labels...)
	if t.FirstFrame > 0 {
		gauge(out, descFirstFrame, t.FirstFrame, labels...)
	}
}
