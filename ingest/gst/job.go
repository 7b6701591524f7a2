package gst

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"sluice/ingest"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// Job is what a worker is told to run a pipeline as a source. A mistake in its text, a *wire.Fault, is
// ingest.Permanent; that no encoder can be chosen is not.
func Job(ctx context.Context, text string, encoders Encoders, allow []string) (wire.Job, error) {
	return job(ctx, text, encoders, allow, false)
}

// job is Job, or one that goes without encoders where none works: a text that encodes itself needs none, and what any
// other lacks is for the worker to tell.
func job(ctx context.Context, text string, encoders Encoders, allow []string, without bool) (wire.Job, error) {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	var absent []wire.RawEncoder
	choose := func(kind media.Kind, codec media.Codec) (pipeline.Encoder, error) {
		e, err := encoders.Encoder(ctx, codec)
		if err != nil && without && ctx.Err() == nil && !noWorker(err) {
			absent = append(absent, wire.RawEncoder{Kind: kind, Absent: err.Error()})
			return pipeline.Encoder{}, nil
		}
		return e, err
	}
	video, err := choose(media.Video, media.H264)
	if err != nil {
		return wire.Job{}, fmt.Errorf("choose an encoder of pictures: %w", err)
	}
	audio, err := choose(media.Audio, media.Opus)
	if err != nil {
		return wire.Job{}, fmt.Errorf("choose an encoder of sound: %w", err)
	}
	j, err := pipeline.Source(text, video, audio, allow)
	j.Encoders = append(j.Encoders, absent...)
	return j, ingest.Permanent(err)
}

// noWorker tells that nothing could be tried out, and that nothing else can be run either.
func noWorker(err error) bool {
	return errors.Is(err, worker.ErrClosed) || errors.As(err, new(*worker.NotInstalledError)) || errors.As(err, new(*worker.OffError))
}

// Bitrate is what a raw picture is encoded with, in bit/s, once its size is known.
func Bitrate(c wire.Caps) int {
	fps := usualFPS
	if c.FPSNum > 0 && c.FPSDen > 0 {
		fps = max(1, int(math.Round(float64(c.FPSNum)/float64(c.FPSDen))))
	}
	return pipeline.BitrateFor(c.Width, c.Height, fps) * 1000
}

// usualFPS is the frame rate of pictures that do not tell theirs.
const usualFPS = 30

// probing is how long the choice of an encoder may take.
const probing = 30 * time.Second
