package peer

import (
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
)

const (
	// resendShare is the part of what is sent that may be sent again: 20 %.
	resendShare = 5
	// resendBurst is how many bytes of resends may be saved up, and are there at the start: a lost part of a keyframe.
	resendBurst = 128 << 10
)

// resendBudget bounds what a viewer can have sent again: one that asks for everything, every 10 ms, would cost the
// others their bandwidth. It stands between the resend buffer and the wire.
type resendBudget struct {
	interceptor.NoOp
	refused func() // counts a packet that was not sent again; set before any is sent
}

// NewInterceptor implements interceptor.Factory.
func (b *resendBudget) NewInterceptor(string) (interceptor.Interceptor, error) { return b, nil }

// BindLocalStream implements interceptor.Interceptor.
func (b *resendBudget) BindLocalStream(info *interceptor.StreamInfo, next interceptor.RTPWriter) interceptor.RTPWriter {
	t := &tally{ssrc: info.SSRC}
	t.left.Store(resendBurst)
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if !t.admit(h, len(payload)) {
			b.refused()
			return len(payload), nil
		}
		return next.Write(h, payload, a)
	})
}

// tally is the account of one stream.
type tally struct {
	ssrc    uint32        // fixed: of the media
	highest atomic.Uint32 // sequence number sent last, and whether any was: bit 16
	left    atomic.Int64  // bytes of resends that may be sent
}

// admit books a packet. It reports false for a resend that is not paid for.
func (t *tally) admit(h *rtp.Header, size int) bool {
	highest := t.highest.Load()
	if h.SSRC == t.ssrc && (highest == 0 || int16(h.SequenceNumber-uint16(highest)) > 0) {
		t.highest.Store(1<<16 | uint32(h.SequenceNumber))
		return t.book(int64(size) / resendShare)
	}
	return t.book(-int64(size))
}

// book reports false, and changes nothing, if that would leave less than nothing.
func (t *tally) book(size int64) bool {
	for {
		left := t.left.Load()
		if left+size < 0 {
			return false
		}
		if t.left.CompareAndSwap(left, min(left+size, resendBurst)) {
			return true
		}
	}
}
