package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sluice/signalling/problem"
)

// Snapshots makes pictures of streams. A Gateway that is one too serves them.
type Snapshots interface {
	// Snapshot returns the newest picture of a stream as JPEG, and when the camera took it. The error is an
	// *UnavailableError if there is no picture now.
	Snapshot(ctx context.Context, stream string) (jpeg []byte, at time.Time, err error)
}

// UnavailableError says why there is no picture of a stream now, and when asking again makes sense.
type UnavailableError struct {
	Reason     string        // a sentence for the user
	RetryAfter time.Duration // 0: not before somebody has mended it
}

// Error returns the reason.
func (e *UnavailableError) Error() string { return e.Reason }

// snapshotCache lets a browser show a picture twice within the second for which it is the newest; nobody else may
// keep it, for it is not everybody's to see.
const snapshotCache = "private, max-age=1"

// Snapshot answers GET /{stream}/snapshot.jpg with the newest picture: 404 if there is no such stream, 503 with the
// reason if there is no picture, 304 if the request knows it already (RFC 9110 13.1.2, 13.1.3).
func (a *API) Snapshot(w http.ResponseWriter, r *http.Request, stream string) {
	serve(w, r, func() {
		if _, ok := a.gateway.Stream(stream); !ok {
			noStream(w)
			return
		}
		jpeg, at, err := a.snapshot(r.Context(), stream)
		if err != nil {
			problem.Write(w, noPicture(err))
			return
		}
		h := w.Header()
		h.Set("Content-Type", "image/jpeg")
		h.Set("Cache-Control", snapshotCache)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", fmt.Sprintf(`"%x"`, at.UnixNano())) // two pictures may be of the same second
		http.ServeContent(w, r, "", at, bytes.NewReader(jpeg))
	})
}

func (a *API) snapshot(ctx context.Context, stream string) ([]byte, time.Time, error) {
	s, ok := a.gateway.(Snapshots)
	if !ok {
		return nil, time.Time{}, &UnavailableError{Reason: "This gateway makes no pictures of its streams."}
	}
	return s.Snapshot(ctx, stream)
}

func noPicture(err error) problem.Problem {
	p := problem.New(http.StatusServiceUnavailable, "no_picture", err.Error())
	var unavailable *UnavailableError
	if errors.As(err, &unavailable) {
		p.RetryAfter = unavailable.RetryAfter
	}
	return p
}

func noStream(w http.ResponseWriter) {
	problem.Write(w, problem.New(http.StatusNotFound, "stream_not_found", "There is no stream of that name."))
}
