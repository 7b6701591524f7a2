package hub

import (
	"errors"
	"fmt"
)

// ErrClosed is returned by a publisher or subscriber whose end, or whose stream, has been closed.
var ErrClosed = errors.New("the stream has been closed")

// StreamNotFoundError tells that no stream has that name.
type StreamNotFoundError struct{ Name string }

func (e *StreamNotFoundError) Error() string { return fmt.Sprintf("there is no stream %q", e.Name) }

// StreamExistsError tells that the name is taken.
type StreamExistsError struct{ Name string }

func (e *StreamExistsError) Error() string {
	return fmt.Sprintf("there is already a stream %q", e.Name)
}

// RenditionBusyError tells that somebody else publishes this rendition.
type RenditionBusyError struct{ Stream, Rendition string }

func (e *RenditionBusyError) Error() string {
	return fmt.Sprintf("stream %q already has a publisher of rendition %q", e.Stream, e.Rendition)
}

// UnknownTrackError tells that a unit was written for a track that Publish was not given.
type UnknownTrackError struct{ Track string }

func (e *UnknownTrackError) Error() string { return fmt.Sprintf("no track %q was published", e.Track) }
