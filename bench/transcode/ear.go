//go:build linux

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// ear puts together again what comes in packets.
type ear struct {
	sound bool // each packet is a unit of its own

	mu       sync.Mutex
	all      []came // guarded by mu, as all that follows
	began    bool
	next     uint16 // sequence number
	keyframe bool   // of the picture that comes now
	broken   bool   // some of it is missing
}

func (e *ear) add(p *rtp.Packet, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.began && p.SequenceNumber != e.next {
		e.broken = true
	}
	e.began, e.next = true, p.SequenceNumber+1
	e.keyframe = e.keyframe || beginsIDR(p.Payload)
	if p.Marker || e.sound {
		e.all = append(e.all, came{timestamp: p.Timestamp, at: at, keyframe: e.keyframe, whole: !e.broken})
		e.keyframe, e.broken = false, false
	}
}

// seen is what came so far.
func (e *ear) seen() []came {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]came(nil), e.all...)
}

const lookEvery = 5 * time.Millisecond

var errNothingCame = errors.New("nothing comes")

// await waits until something came that is as wanted.
func (e *ear) await(ctx context.Context, limit time.Duration, wanted func(came) bool) (came, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errNothingCame)
	defer cancel()
	for looked := 0; ; {
		all := e.seen()
		for ; looked < len(all); looked++ {
			if wanted(all[looked]) {
				return all[looked], nil
			}
		}
		if wait(ctx, lookEvery) != nil {
			return came{}, context.Cause(ctx)
		}
	}
}

// playable waits for a keyframe that came whole after a time.
func (e *ear) playable(ctx context.Context, after time.Time, limit time.Duration) (came, error) {
	return e.await(ctx, limit, func(c came) bool { return c.keyframe && c.whole && c.at.After(after) })
}

// beginsIDR tells whether an IDR picture of H264 begins in a payload (RFC 6184, section 5).
func beginsIDR(payload []byte) bool {
	const idr, stapA, fuA, start = 5, 24, 28, 0x80
	if len(payload) < 2 {
		return false
	}
	switch payload[0] & 0x1f {
	case idr:
		return true
	case fuA:
		return payload[1]&0x1f == idr && payload[1]&start != 0
	case stapA:
		for b := payload[1:]; len(b) > 2; {
			size := int(b[0])<<8 | int(b[1])
			if b[2]&0x1f == idr {
				return true
			}
			b = b[min(len(b), 2+size):]
		}
	}
	return false
}
