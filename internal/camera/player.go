package camera

import (
	"context"
	"time"

	"sluice/bitstream"
	"sluice/media"
)

// maxLate is how far behind the camera may fall, on a machine that stood still, before it leaves out what is
// late, up to a keyframe.
const maxLate = time.Second

// sink takes what the player says is due.
type sink interface {
	// send sends a unit of a track, whose PTS is in ticks since the player started and goes on across rounds.
	send(track int, pts int64, data [][]byte) error
	// report tells the readers the clocks of all tracks, at a time since the player started.
	report(elapsed time.Duration) error
}

// player gives the units of a clip to a sink in real time. All times are counted from one start, so that
// neither rounds nor late timers add up.
type player struct {
	clip        *Clip
	once        bool
	reportEvery time.Duration
	sink        sink

	cursors []cursor // owned by run
}

// cursor is a track's place in its clip.
type cursor struct {
	track  *Track
	unit   int
	round  int64
	broken bool // something was left out, which what comes before the next keyframe may refer to
}

// due is when the cursor's unit is to be sent, since the start.
func (c *cursor) due() time.Duration {
	return time.Duration(c.round)*c.track.Period + media.Duration(c.track.Units[c.unit].DTS, c.track.ClockRate)
}

// pts is the unit's PTS with the rounds before it.
func (c *cursor) pts() int64 {
	return media.Ticks(time.Duration(c.round)*c.track.Period, c.track.ClockRate) + c.track.Units[c.unit].PTS
}

func (c *cursor) advance() {
	if c.unit++; c.unit == len(c.track.Units) {
		c.unit = 0
		c.round++
	}
}

// run plays from start until ctx ends, the sink fails, or with once, the clip is over.
func (p *player) run(ctx context.Context, start time.Time) error {
	p.cursors = make([]cursor, len(p.clip.Tracks))
	for i := range p.clip.Tracks {
		p.cursors[i].track = &p.clip.Tracks[i]
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for report := p.reportEvery; ; {
		next := p.next()
		if next < 0 {
			return nil
		}
		due := min(p.cursors[next].due(), report)
		timer.Reset(due - time.Since(start))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		elapsed := time.Since(start)
		if report <= elapsed {
			if err := p.sink.report(elapsed); err != nil {
				return err
			}
			report = elapsed - elapsed%p.reportEvery + p.reportEvery
		}
		if err := p.step(&p.cursors[next], next, elapsed); err != nil {
			return err
		}
	}
}

// step sends the cursor's unit if it is due, not much too late and can be decoded.
func (p *player) step(c *cursor, track int, elapsed time.Duration) error {
	late := elapsed - c.due()
	if late < 0 {
		return nil
	}
	defer c.advance()
	data := c.track.Units[c.unit].Data
	if late > maxLate || c.broken && !bitstream.Keyframe(c.track.Codec, data) {
		c.broken = true
		return nil
	}
	c.broken = false
	return p.sink.send(track, c.pts(), data)
}

// next is the track whose unit is due first, -1 if there is none.
func (p *player) next() int {
	best, at := -1, time.Duration(0)
	for i := range p.cursors {
		c := &p.cursors[i]
		if p.once && c.round > 0 {
			continue
		}
		if due := c.due(); best < 0 || due < at {
			best, at = i, due
		}
	}
	return best
}
