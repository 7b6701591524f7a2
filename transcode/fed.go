package transcode

import (
	"fmt"
	"sync/atomic"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

const (
	maxAstray = 10 * time.Second // how far what comes out may be from what has gone in
	maxSound  = 64 << 10         // bytes of a packet of made sound
)

// fed is the span of time that a process was given. One goroutine adds, any looks.
type fed struct {
	begun    atomic.Bool
	from, to atomic.Int64 // ns
}

func (f *fed) add(ns int64) {
	if !f.begun.Load() {
		f.from.Store(ns)
		f.to.Store(ns)
		f.begun.Store(true)
	}
	f.to.Store(max(f.to.Load(), ns))
}

// check returns an error for a frame that can't have been made of what was put in: whoever sends it is broken or was
// taken over, and must not lead those astray who read the rendition later.
func (f *fed) check(m *wire.Message, kind media.Kind) error {
	early, late := f.from.Load()-int64(maxAstray), f.to.Load()+int64(maxAstray)
	switch {
	case !f.begun.Load() || m.PTS < early || m.PTS > late:
		return fmt.Errorf("the worker sent a frame of the time %d ns, which it was never given", m.PTS)
	case kind == media.Audio && len(m.Payload) > maxSound:
		return fmt.Errorf("the worker sent a packet of sound of %d bytes", len(m.Payload))
	}
	return nil
}
