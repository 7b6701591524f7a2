package gateway

import (
	"context"
	"errors"
	"time"

	"sluice/admin"
	"sluice/transcode"
	"sluice/worker"
)

// pictureRetry is when a stream without a picture may have one.
const pictureRetry = 2 * time.Second

// Snapshot implements admin.Snapshots.
func (v adminView) Snapshot(ctx context.Context, stream string) ([]byte, time.Time, error) {
	e, ok := v.streams.entry(stream)
	if !ok {
		return nil, time.Time{}, &admin.UnavailableError{Reason: "The stream has just gone."}
	}
	jpeg, at, err := e.transcoder.Snapshot(ctx)
	if err != nil {
		return nil, time.Time{}, noSnapshot(err)
	}
	return jpeg, at, nil
}

// noSnapshot says when asking again makes sense: not where something has to be installed or mended first.
func noSnapshot(err error) error {
	out := &admin.UnavailableError{Reason: err.Error()}
	var absent *worker.NotInstalledError
	var off *worker.OffError
	if !errors.As(err, &absent) && !errors.As(err, &off) && !transcode.Permanent(err) {
		out.RetryAfter = pictureRetry
	}
	return out
}
