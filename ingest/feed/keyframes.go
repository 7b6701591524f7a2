package feed

import (
	"context"
	"maps"
	"slices"
	"time"

	"sluice/media"
)

// keyInterval is the least time between two wishes for a keyframe of our own.
const keyInterval = time.Second

// wish asks for the keyframe without which nothing of a track passes.
func (r *reception) wish(index uint8, t *track, now time.Time) {
	if !t.units.Started() && now.Sub(r.wished) >= keyInterval {
		r.wished = now
		r.worker.RequestKeyframe(index)
	}
}

// follow passes the viewers' wishes for keyframes on to the worker until the publisher changes or the process ends.
func (r *reception) follow(ctx context.Context) {
	if r.unfollow != nil {
		r.unfollow()
	}
	picture, ok := r.picture()
	if !ok {
		return
	}
	ctx, r.unfollow = context.WithCancel(ctx)
	requests := r.publication.publisher.KeyframeRequests()
	r.parts.Go(func() {
		for {
			select {
			case <-requests:
				r.worker.RequestKeyframe(picture)
			case <-ctx.Done():
				return
			}
		}
	})
}

// picture is the index of the first track that is one.
func (r *reception) picture() (uint8, bool) {
	for _, i := range slices.Sorted(maps.Keys(r.tracks)) {
		if r.tracks[i].known.Kind == media.Video {
			return i, true
		}
	}
	return 0, false
}
