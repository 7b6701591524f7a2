package transcode

import (
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker/wire"
)

// fault is why a key can't be made of a track: it is not tried again before the track is another one.
type fault struct {
	track media.Track
	err   error
	until time.Time // when it is tried again all the same; zero: never
	job   *Status   // as the job ended; nil where another codec's was tried
}

// stands reports whether the fault is still one for a track.
func (f fault) stands(track media.Track) bool {
	return f.track.Equal(track) && (f.until.IsZero() || time.Now().Before(f.until))
}

// tellGivenUp says in the log of a worker that it is given up, and until when.
func tellGivenUp(log *slog.Logger, err error) {
	if passes(err) || !permanent(err) {
		log.Error("this can't be made now: it is tried again from time to time", "err", err)
		return
	}
	log.Error("this can't be made until the source or the configuration changes", "err", err)
}

// blame remembers that a key can't be made of a track. Where the configuration has a process, a fault of the pipeline
// is its fault, and no other codec helps: that the encoders work is known before.
func (t *Stream) blame(k key, track media.Track, err error, ended Status) {
	published := t.hub.Renditions()
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.faults, func(k key, _ fault) bool { // publishers name renditions as they like
		return !slices.ContainsFunc(published, func(r hub.Rendition) bool { return r.Name == k.source })
	})
	f := fault{track: track, err: err}
	if passes(err) {
		f.until = time.Now().Add(hopeless)
	}
	codecs := []media.Codec{k.codec}
	if k.kind == media.Video && t.options.Process != "" && errors.As(err, new(*wire.Fault)) {
		codecs = pictureCodecs[:]
	}
	for _, codec := range codecs {
		f.job = nil
		if codec == ended.Codec {
			f.job = &ended
		}
		k.codec = codec
		t.faults[k] = f
	}
}

// faultOf is why an order can't be made of what the source sends now, false if it can. Faults of what it sent before
// are forgotten.
func (t *Stream) faultOf(o order) (fault, bool) {
	tracks := t.hub.Tracks(o.source)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range o.keys() {
		f, bad := t.faults[k]
		if !bad {
			continue
		}
		if now, ok := media.First(tracks, k.kind); ok && f.stands(now) {
			return f, true
		}
		delete(t.faults, k)
	}
	return fault{}, false
}

// givenUp are the jobs of those faults that are ones of what the source sends now. Those whose time has come stay until
// somebody wants them again.
func (t *Stream) givenUp(faults map[key]fault) []Status {
	var all []Status
	for k, f := range faults {
		now, ok := media.First(t.hub.Tracks(k.source), k.kind)
		if ok && f.track.Equal(now) {
			all = append(all, *f.job)
		}
	}
	return all
}

// remembered are the faults of jobs that are no more. It needs mu.
func (t *Stream) remembered() map[key]fault {
	all := maps.Clone(t.faults)
	maps.DeleteFunc(all, func(k key, f fault) bool { return f.job == nil || t.jobs[k] != nil })
	return all
}
