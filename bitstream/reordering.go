package bitstream

import "sluice/media"

// Signs of B-frames: this many, and how close together the reversals must be.
const (
	enoughBFrames   = 3
	enoughReversals = 3
	reversalSeconds = 2
)

// reordering finds out whether pictures come in another order than they are shown. One of these is enough:
//
//   - the PTS runs backwards three times within 2 s, whatever the slices say; an equal PTS is no reversal;
//   - three pictures with B slices, or one if the parameter sets announce reordering.
//
// B slices don't count where the parameter sets exclude reordering, because many hardware encoders write
// their forward-predicted pictures as B slices ("low-delay B").
type reordering struct {
	window    int64 // in ticks
	last      int64
	any       bool
	reversals [enoughReversals]int64 // PTS of the latest, oldest first
	count     int
	bPictures int
}

// announced is what the parameter sets say of reordering.
type announced int

const (
	reorderUnknown announced = iota
	reorderNone
	reorderSome
)

func newReordering(clockRate int) reordering {
	return reordering{window: int64(reversalSeconds * clockRate)}
}

// reset forgets all signs: new parameter sets may mean a new encoder setting.
func (r *reordering) reset() { *r = reordering{window: r.window} }

// seen takes the next picture in decode order and reports whether the stream has B-frames.
func (r *reordering) seen(au *media.AccessUnit, bSlice bool, a announced) bool {
	if bSlice && a != reorderNone {
		r.bPictures++
	}
	if r.any && au.PTS < r.last {
		copy(r.reversals[:], r.reversals[1:])
		r.reversals[enoughReversals-1] = au.PTS
		r.count++
	}
	r.last, r.any = au.PTS, true
	return r.bPictures >= enoughBFrames || r.bPictures > 0 && a == reorderSome ||
		r.count >= enoughReversals && r.reversals[enoughReversals-1]-r.reversals[0] <= r.window
}
