package transcode

import (
	"errors"
	"sync"
	"time"

	"sluice/media"
	"sluice/worker/pipeline"
)

// candidate is one row of the tables of encoders.
type candidate struct {
	codec   media.Codec
	element string
}

func of(e pipeline.Encoder) candidate { return candidate{codec: e.Codec, element: e.Element} }

// verdict is what is known of a candidate. The zero value is that it works.
type verdict struct {
	err   error     // why it can't be used
	until time.Time // when it may be tried again; zero: not before the next start
}

// verdicts are those on all candidates that were tried.
type verdicts struct {
	mu  sync.Mutex
	all map[candidate]verdict
}

func (l *verdicts) of(e pipeline.Encoder) (v verdict, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, known = l.all[of(e)]
	return v, known
}

func (l *verdicts) set(e pipeline.Encoder, v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[of(e)] = v
}

// exclude reports whether an encoder is known not to work.
func (l *verdicts) exclude(e pipeline.Encoder) bool {
	v, _ := l.of(e)
	return v.err != nil && (v.until.IsZero() || time.Now().Before(v.until))
}

// failedAtWork reports whether an encoder of a codec was tried out well and failed later.
func (l *verdicts) failedAtWork(codec media.Codec) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c, v := range l.all {
		if c.codec == codec && errors.Is(v.err, errKeepsFailing) {
			return true
		}
	}
	return false
}
