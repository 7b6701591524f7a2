package session

import "time"

// alarm is a timer that is made when it is needed first, since most viewers never need most of theirs.
type alarm struct {
	timer *time.Timer // nil: never set
	isSet bool
}

// set has it ring after d, if it is not set already.
func (a *alarm) set(d time.Duration) {
	switch {
	case a.isSet:
		return
	case a.timer == nil:
		a.timer = time.NewTimer(d)
	default:
		a.timer.Reset(d)
	}
	a.isSet = true
}

func (a *alarm) stop() {
	if a.isSet {
		a.timer.Stop()
		a.isSet = false
	}
}

// rings is received from once when it rings; stop comes before the next set.
func (a *alarm) rings() <-chan time.Time {
	if !a.isSet {
		return nil
	}
	return a.timer.C
}
