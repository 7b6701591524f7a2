package transcode

import (
	"context"
	"slices"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/worker/wire"
)

// feed gives the process what the source sends, from the backlog on, until the source changes.
func (a *attempt) feed(ctx context.Context) error {
	select {
	case <-a.ready:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := a.catchUp(); err != nil {
		return err
	}
	for {
		u, err := a.from.Next(ctx)
		if err != nil {
			return err
		}
		if !a.takes(u) {
			continue
		}
		a.pace.add(u)
		if err := a.follow(u); err != nil {
			return err
		}
		a.write(u, 0)
	}
}

// catchUp gives the process what has come until now. Pictures that are not to be seen any more are decoded and not
// encoded, so that what comes out begins at live, and with a picture that no earlier process has made.
func (a *attempt) catchUp() error {
	a.gather()
	units := a.backlog
	a.backlog = nil
	for i, u := range units {
		if err := a.follow(u); err != nil {
			return err
		}
		var flags wire.Flags
		if a.key.kind == media.Video && a.isPast(u, i == len(units)-1) {
			flags = wire.Preroll
		}
		a.write(u, flags)
	}
	return nil
}

// gather adds to the backlog what has come. What is before the newest keyframe is of no use any more.
func (a *attempt) gather() {
	for {
		u, ok := a.from.TryNext()
		switch {
		case !ok:
			return
		case !a.takes(u):
			continue
		case u.Keyframe:
			a.backlog = a.backlog[:0]
		}
		a.pace.add(u)
		a.backlog = append(a.backlog, u)
	}
}

// isPast reports whether a cached picture is to be decoded only. The newest one is shown at once, unless it has been.
func (a *attempt) isPast(u *hub.Unit, newest bool) bool {
	if a.again || a.stream.service.preroll {
		return !newest || nanoseconds(u.PTS, u.Track.ClockRate) <= a.past
	}
	return false
}

// follow looks at what the source is now. It returns errChanged if the process was started for something else.
func (a *attempt) follow(u *hub.Unit) error {
	if u.Publisher != a.publisher {
		return errChanged
	}
	if u.Track == a.source {
		return nil
	}
	a.source = u.Track
	now, err := a.plan(*u.Track)
	if err != nil {
		return err
	}
	if now.Pipeline != a.wire.Pipeline || !slices.Equal(now.Inputs, a.wire.Inputs) {
		return errChanged
	}
	if a.key.kind == media.Video {
		a.process.SetBitrate(0, a.kbps(*u.Track)*1000)
	}
	return nil
}

// write never blocks: what the process is too slow for is dropped up to the next keyframe.
func (a *attempt) write(u *hub.Unit, flags wire.Flags) {
	ns := nanoseconds(u.PTS, u.Track.ClockRate)
	if ns < 0 {
		return
	}
	if u.Keyframe {
		flags |= wire.Keyframe
	}
	a.fed.add(ns)
	m := wire.Message{Type: wire.TypeFrame, Flags: flags, PTS: ns, DTS: ns}
	if a.process.Write(&m, wire.Join(u.Track.Codec, u.Data)...) && flags&wire.Preroll == 0 && a.key.kind == media.Video {
		a.flight.depart(flying{ns: ns, at: time.Now(), ntp: u.NTP})
	}
}
