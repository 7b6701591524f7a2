package rtpout

import "time"

// delay is what a unit's packets say in the playout-delay extension, which lasts until something else is said.
//
// Specification: http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
type delay uint8

const (
	delayUnsaid  delay = iota
	delayNone          // show pictures as they come: {0, 0}
	delayForLoss       // wait for what is sent again: {120 ms, 10 s}
)

const (
	// worthWaiting is the part of the packets lost from which a viewer is better off waiting for resends: who waits for
	// nothing stands still until each of them has come.
	worthWaiting = 0.01
	// waitFor is for how long that holds after the last such report.
	waitFor = 10 * time.Second
	// waitAfter is how long after a burst: a viewer that waits goes by its clock of the sender, which a burst puts out by as
	// much as its losses take, and which needs this long to find back.
	waitAfter = 4 * time.Second
	// manyAsked is how many packets asked for again within a second have it wait sooner than by a report.
	manyAsked = 5
)

// delays are the extension's block for each delay, as it stands in a packet; zeros if it was not negotiated.
type delays [delayForLoss + 1]uint64

// newDelays lays out one element of three bytes, which are two numbers of 12 bits in units of 10 ms, behind the profile
// and length of its block (RFC 8285 4.2).
func newDelays(id uint8) delays {
	if id == 0 {
		return delays{}
	}
	const oneByte, words, length, least, most = 0xBEDE, 1, 3, 12, 1000
	block := uint64(oneByte)<<48 | words<<32 | uint64(id<<4|(length-1))<<24
	return delays{delayNone: block, delayForLoss: block | least<<12 | most}
}

// say is what the packets of a picture are to tell: keyframes always, others if it has changed. wait says that the
// viewer is better off waiting.
func (t *track) say(keyframe, wait bool) delay {
	if t.delays[delayNone] == 0 {
		return delayUnsaid
	}
	want := delayNone
	if wait {
		want = delayForLoss
	}
	if !keyframe && want == t.said {
		return delayUnsaid
	}
	t.said = want
	return want
}

// Loss tells of the part of the packets that the viewer did not get, from 0 to 1. More than 1 % has the viewer wait for
// what it lacks, and that go twice; more than 5 % halves the pace of bursts for a second, down to a quarter.
func (p *Player) Loss(fraction float64) {
	if fraction > worthWaiting {
		p.lossyUntil = p.now + int64(waitFor)
	}
	if fraction > worthSlowing {
		p.pace.lost(p.now)
	}
}

// asked counts a packet that was asked for again.
func (p *Player) asked() {
	if p.now-p.askedSince > int64(time.Second) {
		p.askedSince, p.askedFor = p.now, 0
	}
	if p.askedFor++; p.askedFor >= manyAsked {
		p.waitUntil = p.now + int64(waitFor)
	}
}

// isLossy goes by what the viewer reports, waits by what it asks for as well.
func (p *Player) isLossy() bool { return p.now < p.lossyUntil }

// waits needs to be asked for each picture, with whether it is one of a burst.
func (p *Player) waits(burst bool) bool {
	if burst {
		p.burstUntil = p.now
		return false
	}
	return p.now < max(p.lossyUntil, p.waitUntil) && p.now-p.burstUntil >= int64(waitAfter)
}
