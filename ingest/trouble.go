package ingest

import (
	"log/slog"
	"time"
)

// tellEvery is how often the log repeats an error that stays the same.
const tellEvery = time.Minute

// trouble tells the log of a source's failures: each new one at once, repeats counted, the recovery.
type trouble struct {
	log     *slog.Logger
	last    error // nil while all is well
	since   time.Time
	told    time.Time
	repeats int // of last, that the log has not been told
}

func (t *trouble) failed(err error) {
	now := time.Now()
	if t.last == nil {
		t.since = now
	}
	same := t.last != nil && t.last.Error() == err.Error()
	t.last = err
	if same && now.Sub(t.told) < tellEvery {
		t.repeats++
		return
	}
	if same {
		t.log.Warn("source still fails", "err", err, "repeats", t.repeats+1)
	} else {
		t.log.Warn("source failed", "err", err)
	}
	t.told, t.repeats = now, 0
}

func (t *trouble) over() {
	if t.last != nil {
		t.log.Info("source is back", "after", time.Since(t.since).Round(time.Millisecond))
	} else {
		t.log.Info("source is ready")
	}
	*t = trouble{log: t.log}
}
