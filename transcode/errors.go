package transcode

import (
	"context"
	"errors"
	"fmt"

	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// NoPictureError tells that there is no picture to take a snapshot of.
type NoPictureError struct {
	Stream string
	Sound  bool // what is sent has no picture: waiting does not help
}

func (e *NoPictureError) Error() string {
	if e.Sound {
		return fmt.Sprintf("stream %q sends no picture that can be shown, only sound", e.Stream)
	}
	return fmt.Sprintf("stream %q sends no picture now, or no keyframe has come yet", e.Stream)
}

// errChanged ends a worker whose source sends something else now; the next one starts at once.
var errChanged = errors.New("the source has changed what it sends")

// errLoad ends a worker that can't keep up, or that can again; the next one, with less or more to do, starts at once.
var errLoad = errors.New("the encoder has too much or too little to do")

// errEnded is the end of a worker that nobody asked to end.
var errEnded = errors.New("the pipeline has ended by itself")

// Permanent reports whether an error of Snapshot comes back until somebody mends its cause.
func Permanent(err error) bool {
	var none *NoPictureError
	return permanent(err) || errors.As(err, &none) && none.Sound
}

// permanent reports whether starting again would fail in the same way: what is asked for is at fault.
func permanent(err error) bool {
	var fault *wire.Fault
	if errors.As(err, &fault) {
		return fault.Permanent
	}
	var decode *pipeline.UndecodableError
	var encode *pipeline.UnencodableError
	return errors.As(err, &decode) || errors.As(err, &encode) || isNoEncoder(err)
}

// passes reports whether a permanent error may pass without a change of the source or the configuration: by itself, or
// when somebody installs what is missing.
func passes(err error) bool {
	var fault *wire.Fault
	return isNoEncoder(err) || errors.As(err, &fault) && fault.Code == wire.FaultMissingElement
}

// isNoEncoder reports whether the reason is that no encoder works here.
func isNoEncoder(err error) bool {
	var none *NoEncoderError
	var key *EncoderKeyError
	return errors.As(err, &none) || errors.As(err, &key)
}

// orderly reports whether a worker was ended by us, with another one to follow at once.
func orderly(err error) bool {
	return errors.Is(err, errChanged) || errors.Is(err, errLoad) || errors.Is(err, context.Canceled)
}

// endOf is what a log says of a worker's end.
func endOf(err error) []any {
	attrs := []any{"err", err}
	if last := worker.Stderr(err); last != "" {
		attrs = append(attrs, "stderr", last)
	}
	return attrs
}
