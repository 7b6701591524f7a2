// Package ingest runs the sources of streams: it connects, publishes, and tries again when a source ends.
package ingest

import (
	"context"
	"errors"

	"sluice/hub"
	"sluice/media"
)

// Source is one way to get media. Run connects, calls publish once the tracks are known, writes until the input
// ends and returns why; after ctx is done it returns within 2 s. It owns all its goroutines. Whoever runs the
// source closes what it published.
type Source interface {
	Run(ctx context.Context, publish Publish) error
}

// Publish opens the writing end for the tracks of a source. A source that calls it again, because its tracks
// have changed, thereby closes the earlier publisher. Its errors are those of hub.Stream.Publish.
type Publish func(tracks []media.Track) (*hub.Publisher, error)

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error that no retry will mend, such as a wrong password: the source is tried again, but
// seldom, since cameras lock accounts after a few tries. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err, or an error that it wraps, was marked by Permanent.
func IsPermanent(err error) bool { return errors.As(err, new(*permanentError)) }
