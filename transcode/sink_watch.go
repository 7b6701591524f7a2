package transcode

import (
	"context"
	"time"

	"sluice/worker"
)

// sinkPatience is for how long a sink may take nothing of what waits for it. It is longer than a slow disk or a busy
// server needs.
const sinkPatience = 10 * time.Second

// watch returns an error when the sink hangs: its process answers all the same, while frames are queued, then dropped.
func (r *sinkRun) watch(ctx context.Context) error {
	p := progress{since: time.Now()}
	began := p.since
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			took, idle := p.look(now, r.process.Stats())
			if idle >= sinkPatience && !r.wire.Waits {
				return &worker.HungError{Worker: worker.GStreamer, What: "took nothing of what the stream sends", After: sinkPatience}
			}
			if took && now.Sub(began) > sinkPatience {
				r.set(r.process, func(st *Status) { st.Error = "" })
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// progress is what a process has taken of its input.
type progress struct {
	taken   int64 // frames that have left the queue in front of the pipeline
	dropped uint64
	since   time.Time // the last look at which it had taken some, or none waited
}

// look reports whether frames were taken since the last look, and for how long none were though some waited.
func (p *progress) look(now time.Time, s worker.Stats) (took bool, idle time.Duration) {
	taken := int64(s.In) - int64(s.Queue)
	waits := s.Queue > 0 || s.Dropped > p.dropped
	took = taken > p.taken
	p.taken, p.dropped = max(p.taken, taken), s.Dropped
	if took || !waits {
		p.since = now
	}
	return took, now.Sub(p.since)
}
