package camera

import (
	"context"
	"fmt"
	"time"

	"sluice/media"
)

// LiveUnit is one coded picture or audio frame of a camera that is fed while it plays.
type LiveUnit struct {
	Track int       // its place among the clip's tracks
	At    time.Time // when it was captured, which becomes its PTS
	Data  [][]byte  // its parts as in media.AccessUnit; not to be changed any more
}

// feed gives live units to a sink as they come.
type feed struct {
	tracks      []Track
	units       <-chan LiveUnit
	reportEvery time.Duration
	sink        sink
}

// run sends until ctx ends, the sink fails, or the channel is closed. What was captured before start is left out.
func (f *feed) run(ctx context.Context, start time.Time) error {
	report := time.NewTicker(f.reportEvery)
	defer report.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-report.C:
			if err := f.sink.report(time.Since(start)); err != nil {
				return err
			}
		case u, ok := <-f.units:
			if !ok {
				return nil
			}
			if err := f.send(u, u.At.Sub(start)); err != nil {
				return err
			}
		}
	}
}

func (f *feed) send(u LiveUnit, after time.Duration) error {
	if u.Track < 0 || u.Track >= len(f.tracks) {
		return fmt.Errorf("a live unit is of track %d, the clip has %d", u.Track, len(f.tracks))
	}
	if after < 0 {
		return nil
	}
	return f.sink.send(u.Track, media.Ticks(after, f.tracks[u.Track].ClockRate), u.Data)
}
