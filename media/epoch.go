package media

import "time"

// epoch is the zero of every PTS: one timeline for all tracks, renditions and streams of a process, so that
// a source that reconnects goes on where the clock is and not where it was.
var epoch = time.Now()

// Epoch returns the instant at which PTS is zero.
func Epoch() time.Time { return epoch }

// PTS converts an instant to ticks of a clock of rate Hz.
func PTS(t time.Time, rate int) int64 { return Ticks(t.Sub(epoch), rate) }

// Instant is the inverse of PTS, exact to one tick.
func Instant(pts int64, rate int) time.Time { return epoch.Add(Duration(pts, rate)) }

// Ticks converts a duration to ticks of a clock of rate Hz, rounded down, without overflow for any duration.
func Ticks(d time.Duration, rate int) int64 {
	s, rest := int64(d/time.Second), int64(d%time.Second)
	return s*int64(rate) + rest*int64(rate)/int64(time.Second)
}

// Duration converts ticks of a clock of rate Hz to a duration.
func Duration(ticks int64, rate int) time.Duration {
	r := int64(rate)
	return time.Duration(ticks/r)*time.Second + time.Duration(ticks%r)*time.Second/time.Duration(r)
}
