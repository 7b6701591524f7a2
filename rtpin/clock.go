package rtpin

import (
	"time"

	"github.com/pion/rtcp"

	"sluice/media"
)

// Limits to what timestamps are believed.
const (
	maxJump       = 10 * time.Second       // either way, from unit to unit
	maxReorder    = 2 * time.Second        // backwards, video: B-frames
	maxAudioBack  = 500 * time.Millisecond // backwards, audio
	maxOffset     = 500 * time.Millisecond // between PTS and arrival
	slewStep      = 5 * time.Millisecond   // of one correction
	maxReportAge  = time.Minute            // between a report's RTP time and the stream's
	maxFromArrive = 5 * time.Second        // between the arrival of audio and where reports put it
	maxOverlap    = 100 * time.Millisecond // of audio units that go back, still sent
)

// clock maps the RTP timestamps of a track to PTS. The first unit is shown when its first packet arrived;
// from there the camera's clock counts, corrected slowly: the leader (video, or any track without reports)
// against its own arrival, a follower by sender reports against the leader.
type clock struct {
	rate    int
	video   bool
	sync    *Synchronizer
	number  int  // in sync
	leads   bool // at the latest unit
	resyncs uint64

	anchored bool
	ext      int64 // RTP time of the latest unit, without wrap
	base     int64 // PTS of RTP time 0
	latest   int64 // PTS of the latest unit
	highest  int64 // PTS, of all units
	any      bool  // highest is one
	repeats  int   // units since the timestamp changed
	arrived  time.Time
	drift    drift
	report   report
}

func newClock(t media.Track, s *Synchronizer) clock {
	return clock{rate: max(1, t.ClockRate), video: t.Kind == media.Video, sync: s, number: s.join()}
}

func (c *clock) ticks(d time.Duration) int64 { return media.Ticks(d, c.rate) }

// restart makes the next unit the first of a new camera clock.
func (c *clock) restart() {
	c.anchored, c.report = false, report{}
	c.publish()
}

// stamp returns the PTS of the next unit in decode order. False for audio that lies in the past.
func (c *clock) stamp(timestamp uint32, first, last time.Time) (int64, bool) {
	if !c.anchored {
		c.anchor(timestamp, first)
	} else {
		c.advance(timestamp, first)
	}
	c.arrived = first
	c.leads = c.video && c.sync.lead(c.number, c.report.known, last)
	if c.follow(last) {
		c.drift.reset()
	} else {
		c.correct(last)
	}
	c.publish()
	return c.emit()
}

func (c *clock) pts() int64 { return c.ext + c.base }

// anchor sets the PTS of timestamp to an arrival, but never back to what was sent.
func (c *clock) anchor(timestamp uint32, at time.Time) {
	c.ext, c.repeats, c.anchored = int64(timestamp), 0, true
	pts := media.PTS(at, c.rate)
	if c.any {
		pts = max(pts, c.highest+1)
	}
	c.base = pts - c.ext
	c.drift.reset()
	c.report.settle(c, timestamp)
}

func (c *clock) reanchor(timestamp uint32, at time.Time) {
	c.resyncs++
	c.report = report{}
	c.anchor(timestamp, at)
}

func (c *clock) advance(timestamp uint32, at time.Time) {
	const frozen = 2 // repeats
	step := int64(int32(timestamp - uint32(c.ext)))
	back := maxAudioBack
	if c.video {
		back = maxReorder
	}
	switch {
	case step == 0:
		if c.repeats++; c.repeats >= frozen {
			c.report = report{}
			c.base += max(1, c.ticks(at.Sub(c.arrived)))
		}
	case c.repeats >= frozen, step > c.ticks(maxJump), step < -c.ticks(back):
		c.reanchor(timestamp, at)
	default:
		c.repeats = 0
		c.ext += step
	}
}

// follow moves a follower towards where the sender reports put it. False if they say nothing.
func (c *clock) follow(last time.Time) bool {
	if c.leads || !c.report.known {
		return false
	}
	offset, ok := c.sync.leader(last)
	if !ok {
		return false
	}
	want := media.PTS(c.report.at(c).Add(offset), c.rate)
	late, most := media.PTS(last, c.rate)-want, c.ticks(maxFromArrive)
	if late > most || late < -most {
		return false
	}
	diff := want - c.pts()
	if limit := c.ticks(maxOffset); c.any && diff <= limit && diff >= -limit {
		step := c.ticks(slewStep)
		diff = min(max(diff, -step), step)
	}
	c.base += diff
	return true
}

// correct bounds the offset between PTS and arrival, and slews it back where the clocks drift apart.
func (c *clock) correct(last time.Time) {
	late := media.PTS(last, c.rate) - c.pts()
	if over := -late - c.ticks(maxOffset); over > 0 {
		if c.any && c.pts() > c.latest {
			over = min(over, c.pts()-c.latest-1)
		}
		c.base -= over
		late += over
	}
	c.base += c.drift.observe(late, last, c.rate)
}

// publish tells followers where NTP time lies on the timeline.
func (c *clock) publish() {
	if !c.leads {
		return
	}
	if !c.report.known {
		c.sync.setLeader(c.number, 0, false)
		return
	}
	at := media.Instant(c.report.ext+c.base, c.rate)
	c.sync.setLeader(c.number, at.Sub(c.report.ntp), true)
}

func (c *clock) emit() (int64, bool) {
	pts := c.pts()
	if c.any && !c.video && pts <= c.highest {
		if c.highest-pts > c.ticks(maxOverlap) {
			return 0, false
		}
		pts = c.highest + 1
	}
	c.latest = pts
	if !c.any || pts > c.highest {
		c.highest, c.any = pts, true
	}
	return pts, true
}

// ntp is the sender's wall clock at the latest unit; zero if it told none.
func (c *clock) ntp() time.Time {
	if !c.report.known {
		return time.Time{}
	}
	return c.report.at(c)
}

// reported takes a sender report, which may come before the first unit.
func (c *clock) reported(sr *rtcp.SenderReport, arrived time.Time) {
	c.report.take(sr.NTPTime, sr.RTPTime, arrived)
	if c.anchored {
		c.report.settle(c, uint32(c.ext))
	}
}
