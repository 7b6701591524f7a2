package rtpin

import (
	"time"

	"sluice/media"
)

// report is the latest sender report that makes sense.
type report struct {
	known bool
	ntp   time.Time
	ext   int64 // RTP time of ntp, on the clock's scale

	pending    bool // came, but is not on the clock's scale yet
	pendingNTP time.Time
	pendingRTP uint32
}

// Seconds between the epochs of NTP and Unix, and of one NTP era.
const (
	ntpUnixOffset = 2208988800
	ntpEra        = 1 << 32
)

// firstYear is the earliest that a camera's clock is believed: those never set tell 1970 or 2000.
const firstYear = 2010

// ntpTime converts an NTP timestamp (RFC 5905 6). Its era is the one that brings it nearest to near.
func ntpTime(v uint64, near time.Time) time.Time {
	seconds := int64(v>>32) - ntpUnixOffset
	if near.Unix()-seconds > ntpEra/2 {
		seconds += ntpEra
	}
	nanos := (v & 0xffffffff) * uint64(time.Second) >> 32
	return time.Unix(seconds, int64(nanos))
}

// take checks a report. One whose NTP time runs backwards is not used and ends the use of the one before,
// so that a camera whose clock is set has its next report believed again.
func (r *report) take(ntp uint64, rtpTime uint32, arrived time.Time) {
	t := ntpTime(ntp, arrived)
	if ntp == 0 || t.UTC().Year() < firstYear || t.After(arrived.AddDate(1, 0, 0)) {
		return
	}
	last := r.ntp
	if r.pending {
		last = r.pendingNTP
	}
	if t.Equal(last) {
		return
	}
	if t.Before(last) {
		*r = report{ntp: t}
		return
	}
	r.pending, r.pendingNTP, r.pendingRTP = true, t, rtpTime
}

// settle puts a pending report on the scale of a clock whose RTP time is now timestamp.
func (r *report) settle(c *clock, timestamp uint32) {
	if !r.pending {
		return
	}
	r.pending = false
	away := int64(int32(r.pendingRTP - timestamp))
	if limit := c.ticks(maxReportAge); away > limit || away < -limit {
		return
	}
	r.known, r.ntp, r.ext = true, r.pendingNTP, c.ext+away
}

// at is the sender's wall clock at the clock's latest unit.
func (r *report) at(c *clock) time.Time { return r.ntp.Add(media.Duration(c.ext-r.ext, c.rate)) }
