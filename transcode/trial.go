package transcode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// trialPatience bounds one trial. The worker itself gives up after three seconds of encoding.
const trialPatience = 6 * time.Second

// slowest is how long a chip may take for a picture of 640 × 360. How long a processor takes says more about what else
// it does.
const slowest = 33 * time.Millisecond

// outcome is what came of a trial: tried is the index of the encoder that it was about, all before it are not
// installed; it is the number of encoders if none is, and -1 if that can't be told.
type outcome struct {
	tried int
	err   error // why it does not work; nil: it does
}

// try has the first of list that is installed encode for a moment. An error, other than the outcome's, tells nothing of
// the encoder.
func (c *Chooser) try(ctx context.Context, list []pipeline.Encoder) (outcome, error) {
	patience, cancel := context.WithTimeout(ctx, trialPatience)
	defer cancel()
	p, err := c.workers.Start(patience, worker.Spec{
		Job: pipeline.ProbeEncoder(list...), Label: "probe " + list[0].Element, Isolate: true,
		Start: worker.StartDeadline, FirstOutput: trialPatience,
	})
	if err != nil {
		return outcome{}, fmt.Errorf("try out encoders: %w", err)
	}
	defer p.Close()
	result, err := resultOf(patience, p)
	switch {
	case ctx.Err() != nil:
		return outcome{}, context.Cause(ctx)
	case errors.Is(err, worker.ErrClosed):
		return outcome{}, err
	case err != nil:
		return blame(list, err), nil
	}
	i := index(list, result.Element)
	if i < 0 {
		return blame(list, errUnknown), nil
	}
	return outcome{tried: i, err: useless(list[i], result)}, nil
}

// resultOf waits for what a probe has found.
func resultOf(ctx context.Context, p process) (wire.ProbeResult, error) {
	for {
		ev, err := p.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("it took longer than %v", trialPatience)
			}
			return wire.ProbeResult{}, err
		}
		if ev.Kind == worker.EventResult {
			var r wire.ProbeResult
			if err := json.Unmarshal(ev.Result, &r); err != nil {
				return r, fmt.Errorf("read what the probe has found: %w", err)
			}
			return r, nil
		}
	}
}

// blame finds whose failure it was.
func blame(list []pipeline.Encoder, err error) outcome {
	fault := (*wire.Fault)(nil)
	isFault := errors.As(err, &fault)
	switch {
	case isFault && fault.Code == wire.FaultMissingElement && index(list, fault.Element) == 0:
		return outcome{tried: len(list)}
	case len(list) == 1:
		return outcome{err: err}
	case isFault && fault.Code != wire.FaultMissingElement:
		return outcome{tried: index(list, fault.Element), err: err}
	}
	return outcome{tried: -1, err: err}
}

func index(list []pipeline.Encoder, element string) int {
	return slices.IndexFunc(list, func(e pipeline.Encoder) bool { return e.Element == element })
}

// useless is why an encoder that encodes is of no use; nil if it is.
func useless(e pipeline.Encoder, r wire.ProbeResult) error {
	perFrame := time.Duration(r.Milliseconds * float64(time.Millisecond))
	switch {
	case r.Frames < pipeline.ProbeFrames-1:
		return fmt.Errorf("of %d pictures %d came out", pipeline.ProbeFrames, r.Frames)
	case r.BFrames:
		return errors.New("it makes B-frames, which browsers do not show")
	case e.Codec == media.H264 && !strings.HasPrefix(strings.ToLower(r.Profile), "42"):
		return fmt.Errorf("its profile-level-id is %q and not of the baseline profile", r.Profile)
	case !r.ForceKey:
		return errors.New("it gives no keyframe when asked for one")
	case e.Hardware && perFrame > slowest:
		return fmt.Errorf("it takes %v for a small picture", perFrame.Round(time.Millisecond))
	}
	return nil
}
