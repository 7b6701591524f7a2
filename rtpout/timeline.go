package rtpout

import (
	"sluice/hub"
	"sluice/media"
)

// timeline turns the PTS of one viewer's track into RTP time, counted from PTS 0.
//
// Pictures keep their PTS. Only where the publisher changes, whose clock may be behind by some milliseconds, they are
// held just above what was sent until their PTS has caught up, so that RTP time rises and sound and picture stay
// together. Pictures that a viewer gets late, because it joined or went back to a keyframe, follow each other by a
// millisecond up to the newest, or by less where less time is left: they are decoded at once, and not shown as a film
// that runs too fast.
//
// Sound advances exactly by the duration of its packets, as receivers expect (F34): sources slew their PTS to keep
// step with the picture, which here moves shift instead, and so the sender reports. At a silence sound returns to
// its PTS.
type timeline struct {
	rate int // Hz

	any       bool
	publisher uint32 // of the latest unit
	highest   int64  // RTP time sent, of pictures
	behind    bool   // pictures have not caught up yet

	late int   // pictures to come that are late
	last int64 // RTP time of the last of them
	step int64 // between two of them

	next  int64 // RTP time of the end of the latest sound
	shift int64 // of RTP time to PTS, of sound
}

// at is the RTP time of a unit. duration is 0 for pictures and for sound that does not tell.
func (t *timeline) at(u *hub.Unit, duration int64) int64 {
	changed := t.any && u.Publisher != t.publisher
	t.publisher = u.Publisher
	if u.Track.Kind == media.Audio && duration > 0 {
		return t.sound(u.PTS, duration)
	}
	return t.picture(u.PTS, changed)
}

func (t *timeline) picture(pts int64, changed bool) int64 {
	t.behind = t.any && (t.behind || changed) && pts <= t.highest
	at := pts
	switch {
	case t.late > 0:
		t.late--
		at, t.behind = t.last-int64(t.late)*t.step, true
	case t.behind:
		at = t.highest + t.millisecond()
	}
	if !t.any || at > t.highest {
		t.highest, t.any = at, true
	}
	return at
}

func (t *timeline) millisecond() int64 { return max(1, int64(t.rate)/1000) }

// catchUp says that n pictures follow which do not go on with those before, of which the newest has that PTS. They are
// squeezed in above what was sent: a tick apart if the newest was sent before.
func (t *timeline) catchUp(n int, newest int64) {
	t.behind = true
	if t.late = 0; n < 2 {
		return
	}
	t.late, t.last, t.step = n, newest, t.millisecond()
	if t.any {
		t.step = min(max((newest-t.highest)/int64(n), 1), t.step)
		t.last = max(newest, t.highest+int64(n)*t.step)
	}
}

// sound tells gaps from slewing: sources slew by 5 ms at most. After a gap as of a lost packet shift stays, so that
// receivers conceal just what is missing; after a longer one there is nothing to join.
func (t *timeline) sound(pts, duration int64) int64 {
	gap := pts + t.shift - t.next
	switch {
	case !t.any:
		t.shift = 0
	case gap > int64(t.rate)/5:
		t.shift = max(0, t.next-pts)
	case gap <= int64(t.rate)*8/1000:
		t.shift -= gap
	}
	at := pts + t.shift
	t.next, t.any = at+duration, true
	return at
}
