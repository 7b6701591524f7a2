package rtpout

import (
	"math"
	"time"
)

const (
	defaultPace  = 30_000_000     // bit/s
	paceDepth    = 64 * MaxPacket // bytes that go at once
	slowFor      = time.Second    // after a report of loss
	slowMost     = 2              // times that the pace is halved
	worthSlowing = 0.05           // of the packets lost
	paceUnit     = 1 << 10        // perByte is in ns / paceUnit
	paceSecond   = 8e9 * paceUnit // ns / paceUnit for each byte at 1 bit/s
)

// pace is a token bucket for pictures: what comes at the rate of the source is never held up, and bursts go as fast
// as sockets and links on the way may bear. All times are ns since the Epoch.
type pace struct {
	bits    int   // fixed: bit/s of bursts
	source  int   // bit/s of the rendition; 0: not known
	perByte int64 // ns / paceUnit
	empty   int64 // when all that was sent would have gone at this pace

	slow      int // how often the pace is halved
	slowUntil int64
}

func newPace(bits int) pace {
	if bits <= 0 {
		bits = defaultPace
	}
	return pace{bits: bits, perByte: paceSecond / int64(bits), empty: math.MinInt64 / 2}
}

// take books n bytes and reports true if they may go now.
func (p *pace) take(now int64, n int) bool {
	cost := int64(n) * p.perByte / paceUnit
	from := max(p.empty, now)
	if from+cost-now > p.depth() {
		return false
	}
	p.empty = from + cost
	return true
}

// ready is when n bytes may go.
func (p *pace) ready(n int) int64 { return p.empty + int64(n)*p.perByte/paceUnit - p.depth() }

func (p *pace) depth() int64 { return paceDepth * p.perByte / paceUnit }

// adapt follows the rate of the source, and ends a slowness that is over.
func (p *pace) adapt(now int64, source int) {
	if p.slow > 0 && now >= p.slowUntil {
		p.slow = 0
	} else if source == p.source {
		return
	}
	p.source = source
	p.set(now)
}

// lost slows bursts down.
func (p *pace) lost(now int64) {
	p.slow, p.slowUntil = min(p.slow+1, slowMost), now+int64(slowFor)
	p.set(now)
}

// set changes the rate; what is owed stays the same number of bytes. A source that is read at its own rate is never
// held up.
func (p *pace) set(now int64) {
	rate := max(p.bits, 2*p.source) >> p.slow
	perByte := paceSecond / int64(max(rate, p.source+p.source/4))
	if owed := p.empty - now; owed > 0 {
		p.empty = now + owed*perByte/p.perByte
	}
	p.perByte = perByte
}
