package transcode

import (
	"context"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// drain takes what comes out until the process ends.
func (a *attempt) drain(ctx context.Context) error {
	for {
		e, err := a.process.Next(ctx)
		if err != nil {
			return err
		}
		switch e.Kind {
		case worker.EventReady:
			close(a.ready)
		case worker.EventCaps:
			if e.Caps.Encoder != "" {
				a.set(func(s *jobState) { s.Encoder = e.Caps.Encoder })
			}
		case worker.EventFrame:
			if e.Frame.Track != 0 {
				continue
			}
			if err := a.fed.check(&e.Frame, a.key.kind); err != nil {
				return err
			}
			a.output(&e.Frame)
		case worker.EventEOS:
			return errEnded
		case worker.EventResult:
		}
	}
}

// output makes a unit of a frame and gives it to the derivations.
func (a *attempt) output(m *wire.Message) {
	now := time.Now()
	au := &media.AccessUnit{Arrived: now, Data: wire.Split(a.key.codec, m.Payload)}
	if a.key.kind == media.Video {
		au.PTS, au.NTP = ticks(m.PTS, videoRate), a.flight.land(m.PTS, now).ntp
	} else {
		au.PTS = a.clock.stamp(m.PTS, samplesOf(*a.track, m.Payload))
	}
	if !a.conformer.Conform(au) || !a.advance(m.PTS, au) {
		return
	}
	if t := a.conformer.Track(); !t.Equal(*a.track) {
		a.track = &t
	}
	a.appeared(now)
	a.emit(unit{source: a.publisher, track: a.track, AccessUnit: au})
}

// advance notes how far the job has come. It reports false for sound that is not later than what was made before, as
// may be where its clock was set back; what is far behind goes on where the source has leapt in time.
func (a *attempt) advance(ns int64, au *media.AccessUnit) bool {
	if a.key.kind == media.Video {
		if au.Keyframe {
			a.asks.came()
		}
		a.made.picture = max(a.made.picture, ns)
		return true
	}
	behind := media.Duration(a.made.sound-au.PTS, a.clock.rate)
	if behind >= 0 && behind < maxAstray && a.made.sound != 0 {
		return false
	}
	a.made.sound = au.PTS
	return true
}

// appeared is told of each unit, and tells the world of the first.
func (a *attempt) appeared(now time.Time) {
	if a.shown {
		return
	}
	a.shown = true
	a.set(func(s *jobState) { s.State, s.Error, s.FirstFrame = StateRunning, "", now.Sub(a.began) })
	a.stream.hub.Signal()
}

// watch gives a job of pictures less to do when it can't keep up, and more again when it has for some time.
func (a *attempt) watch(ctx context.Context) error {
	o := overload{now: time.Now()}
	tick := time.NewTicker(loadCheck)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if a.key.kind == media.Video && a.balance(&o, now) {
				return errLoad
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// balance reports whether another process has to go on with another load.
func (a *attempt) balance(o *overload, now time.Time) bool {
	if !a.isRunning() {
		return false // what lets nothing out may hang: that is for the worker's deadline to tell
	}
	if o.look(now, a.process.Stats().Dropped, a.lag()) {
		return a.reduce()
	}
	if a.load() > loadFull && o.calm(now) >= a.relief.patience() {
		o.now = now
		return a.relieve()
	}
	return false
}

// lag is how far the output is behind, without the pause between two pictures that a low rate makes.
func (a *attempt) lag() time.Duration {
	l := a.flight.lag()
	if a.key.fps > 0 {
		l -= time.Second / time.Duration(a.key.fps)
	}
	return l
}

// reduce takes the next step of the load, and reports whether there is less to do now.
func (a *attempt) reduce() bool {
	l := a.load()
	if l == loadRefused {
		return false
	}
	l++
	a.bear(l)
	a.relief.failed()
	a.stream.service.counts.overloads.Add(1)
	a.log.Warn("the encoder cannot keep up: it is given less to do", "now", l.String())
	return l < loadRefused
}

// relieve takes back the latest step of the load, and reports whether there is more to do now.
func (a *attempt) relieve() bool {
	l := a.load() - 1
	a.bear(l)
	a.relief.given = true
	a.log.Info("the encoder keeps up again: it is given more to do", "still", l.String())
	return l+1 < loadRefused
}

// bear makes l the load from now on.
func (a *attempt) bear(l load) {
	a.set(func(s *jobState) { s.load = l })
	a.slot.setReduced(l == loadRefused)
	a.stream.hub.Signal()
}
