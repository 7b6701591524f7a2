package transcode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

const (
	snapshotLife    = time.Second      // how long one is good enough for whoever asks
	snapshotLimit   = 10 * time.Second // for a worker to make one
	snapshotSilence = 5 * time.Second  // from the keyframe to the picture
)

// snapshot is the newest one of a stream, and the right to make the next.
type snapshot struct {
	turn chan struct{} // capacity 1: full while somebody looks at the rest or makes one

	// Owned by who has the turn.
	jpeg []byte
	err  error
	of   *media.AccessUnit // the keyframe that it shows; nil before the first
	at   time.Time         // of that picture
	made time.Time         // when it was made, or failed
	last time.Time         // when a worker was last asked for one, though nobody may have waited for it
}

func newSnapshot() snapshot { return snapshot{turn: make(chan struct{}, 1)} }

// Snapshot is a JPEG of the newest keyframe, and when that was. It is decoded by a worker, at most once a second
// whoever asks how often; Motion JPEG is passed as it is, if the stream has no process. Errors are *NoPictureError,
// those of pipeline.Snapshot, worker.Pool.Start and worker.Process.Next, and ctx's own.
func (t *Stream) Snapshot(ctx context.Context) (jpeg []byte, at time.Time, err error) {
	s := &t.snapshot
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, time.Time{}, context.Cause(ctx)
	}
	u, err := t.newestPicture()
	if err != nil {
		return nil, time.Time{}, err
	}
	if fresh := time.Since(s.made) < snapshotLife; s.of != nil && (fresh || s.of == u.AccessUnit && s.err == nil) {
		return s.jpeg, s.at, s.err
	}
	if !pause(ctx, snapshotLife-time.Since(s.last)) {
		return nil, time.Time{}, context.Cause(ctx)
	}
	s.last = time.Now()
	jpeg, err = t.decode(ctx, u)
	if ctx.Err() != nil {
		return nil, time.Time{}, context.Cause(ctx)
	}
	s.jpeg, s.err, s.of, s.made = jpeg, err, u.AccessUnit, time.Now()
	s.at = media.Instant(u.PTS, u.Track.ClockRate)
	return s.jpeg, s.at, s.err
}

// newestPicture is the newest keyframe of the best rendition that has one. If there is none yet it asks for one. The
// error is a *NoPictureError, or what the keyframe could not be decoded for either: that needs mending, not waiting.
func (t *Stream) newestPicture() (*hub.Unit, error) {
	all := t.hub.Renditions()
	none := &NoPictureError{Stream: t.hub.Name(), Sound: len(all) > 0}
	for _, r := range all {
		track, has := media.First(r.Tracks, media.Video)
		if !has {
			continue
		}
		if u, ok := t.hub.NewestKeyframe(r.Name); ok {
			return u, nil
		}
		if err := t.service.workers.Err(); err != nil && !t.passes(track.Codec) {
			return nil, err
		}
		none.Sound = false
		t.hub.RequestKeyframe(r.Name)
	}
	return nil, none
}

// passes reports whether a keyframe of the codec is a snapshot as it is.
func (t *Stream) passes(codec media.Codec) bool {
	return codec == media.MJPEG && t.options.Process == ""
}

// decode makes a JPEG of a keyframe.
func (t *Stream) decode(ctx context.Context, u *hub.Unit) ([]byte, error) {
	if t.passes(u.Track.Codec) {
		return u.Data[0], nil
	}
	select {
	case t.service.snapshots <- struct{}{}:
		defer func() { <-t.service.snapshots }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	job, err := pipeline.Snapshot(pipeline.Picture{Source: *u.Track, Process: t.options.Process}, t.service.allow)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, snapshotLimit, errors.New("the snapshot took too long"))
	defer cancel()
	p, err := t.service.workers.Start(ctx, worker.Spec{
		Job: job, Label: "snapshot " + t.hub.Name(), Isolate: true, Start: worker.StartDeadline, FirstOutput: snapshotSilence, Low: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make a snapshot: %w", err)
	}
	defer p.Close()
	m := wire.Message{Type: wire.TypeFrame, Flags: wire.Keyframe}
	p.Write(&m, wire.Join(u.Track.Codec, u.Data)...)
	p.EndOfStream()
	t.service.counts.snapshots.Add(1)
	return picture(ctx, p)
}

// picture waits for the first frame that comes out.
func picture(ctx context.Context, p process) ([]byte, error) {
	for {
		e, err := p.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("make a snapshot: %w", err)
		}
		switch e.Kind {
		case worker.EventFrame:
			return e.Frame.Payload, nil
		case worker.EventEOS:
			return nil, errors.New("make a snapshot: the decoder made nothing of the keyframe")
		case worker.EventReady, worker.EventCaps, worker.EventResult:
		}
	}
}
