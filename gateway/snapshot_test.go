package gateway

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sluice/admin"
	"sluice/media"
	"sluice/transcode"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// Asking again is recommended only where waiting helps.
func TestSnapshotRetry(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"no keyframe yet", &transcode.NoPictureError{Stream: "door"}, pictureRetry},
		{"sound alone", &transcode.NoPictureError{Stream: "door", Sound: true}, 0},
		{"the worker crashed", fmt.Errorf("make a snapshot: %w", &worker.ExitError{}), pictureRetry},
		{"a plugin failed", &wire.Fault{Code: wire.FaultElement}, pictureRetry},
		{"a mistake in the process", fmt.Errorf("make a snapshot: %w", &wire.Fault{Code: wire.FaultParse, Permanent: true}), 0},
		{"no decoder of its codec", &pipeline.UndecodableError{Codec: media.AV1}, 0},
		{"no worker installed", &worker.NotInstalledError{Name: "gateway-gst"}, 0},
		{"the worker is off", &worker.OffError{Name: "gateway-gst"}, 0},
	} {
		var out *admin.UnavailableError
		if err := noSnapshot(c.err); !errors.As(err, &out) || out.RetryAfter != c.want || out.Reason != c.err.Error() {
			t.Errorf("%s: %+v, want to try again after %v", c.name, out, c.want)
		}
	}
}
