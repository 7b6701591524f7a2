package hub

import (
	"time"

	"sluice/media"
)

// heard is how far a track beside the main one has been delivered.
type heard struct {
	track    string // its ID
	until    time.Duration
	switched bool // nothing of it was delivered since the rendition changed
}

// shown is how far the main track has been delivered: a picture, or sound where there is no picture.
type shown struct {
	pts  int64
	rate int // Hz
}

// moment compares across clock rates.
func (s shown) moment() time.Duration { return media.Duration(s.pts, max(1, s.rate)) }

func (u *Unit) moment() time.Duration { return shown{u.PTS, u.Track.ClockRate}.moment() }

// SelectRendition goes over to another rendition of the stream at that rendition's next keyframe, or at its newest
// one if that is later than all pictures delivered: an older one would show moments twice. Until then the present
// rendition goes on; if nobody publishes it any more, the other's sound does not wait for the keyframe. A rendition
// that nobody publishes is waited for.
func (sub *Subscriber) SelectRendition(name string) {
	s := sub.stream
	s.mu.Lock()
	if !s.ended {
		r := s.rendition(name)
		s.demand(sub.wanted.Swap(r), r)
	}
	s.mu.Unlock()
	sub.waker.Wake()
}

// Rendition is the name of the rendition that it reads now.
func (sub *Subscriber) Rendition() string { return sub.at.Load().name }

// RequestKeyframe asks the source for a keyframe of the rendition that is read, and of the one to be switched to,
// each merged with the wishes of all others to one each 500 ms.
func (sub *Subscriber) RequestKeyframe() {
	wanted, at := sub.wanted.Load(), sub.at.Load()
	wanted.requestKeyframe()
	if at != wanted {
		at.requestKeyframe()
	}
}

// followWish begins to look out for a keyframe of the rendition that SelectRendition named.
func (sub *Subscriber) followWish() {
	wanted := sub.wanted.Load()
	if wanted == sub.reading {
		sub.leaveSwitch()
		return
	}
	if wanted == sub.switching {
		return
	}
	sub.leaveSwitch()
	wanted.waiters.add(sub)
	if sub.Closed() { // Close may have looked before we were there
		wanted.waiters.remove(sub)
		return
	}
	sub.switching, sub.from = wanted, wanted.ring.head.Load()
	if g := wanted.ring.gopStart(); g != 0 && wanted.current() != nil && sub.isLater(wanted.ring.at(g)) {
		sub.from = g
		return
	}
	wanted.requestKeyframe()
}

// isLater reports whether a keyframe shows nothing that came before what was delivered.
func (sub *Subscriber) isLater(key *Unit) bool {
	return key != nil && (!sub.started || key.moment() > sub.shown.moment())
}

func (sub *Subscriber) leaveSwitch() {
	if sub.switching != nil {
		sub.switching.waiters.remove(sub)
		sub.switching = nil
	}
}

// tryToSwitch changes over once the other rendition has a keyframe, or the present one has ended.
func (sub *Subscriber) tryToSwitch() {
	to := sub.switching
	if to == nil {
		return
	}
	g := to.ring.gopStart()
	switch {
	case g != 0 && g >= sub.from:
		if !sub.isBefore(to.ring.at(g)) {
			sub.change(to, g)
		}
	case sub.unread() == nil && sub.reading.current() == nil && to.current() != nil: // the first takes no lock
		sub.change(to, to.ring.head.Load())
	}
}

// isBefore reports whether the present rendition has something to deliver before the other's keyframe.
func (sub *Subscriber) isBefore(key *Unit) bool {
	u := sub.unread()
	return u != nil && key != nil && (!u.main || u.moment() < key.moment())
}

// unread is the next unit of the present rendition, nil if there is none or it is gone.
func (sub *Subscriber) unread() *Unit { return sub.reading.ring.at(sub.cursor) }

// change goes on in another rendition at the picture of that index, and with the sound before it that was not
// delivered yet.
func (sub *Subscriber) change(to *rendition, index uint64) {
	from := sub.reading
	from.waiters.remove(sub)
	for i := range sub.heard {
		sub.heard[i].switched = true
	}
	sub.read(to, sub.unheard(to.ring, index))
	sub.switching, sub.joined, sub.waitKey = nil, index, true
	if !from.isPlain() {
		sub.stream.Signal() // it is in less demand now
	}
}

// unheard goes back from index to after the last unit that was delivered from the other rendition.
func (sub *Subscriber) unheard(r *ring, index uint64) uint64 {
	const most = 256 // units
	from := index
	for i := index - 1; i+most > index; i-- {
		u := r.at(i)
		if u == nil || !u.main && !sub.isNew(u) {
			break
		}
		if !u.main {
			from = i
		}
	}
	return from
}

// isNew reports whether a unit goes on with a track that was delivered.
func (sub *Subscriber) isNew(u *Unit) bool {
	for i := range sub.heard {
		if sub.heard[i].track == u.Track.ID {
			return u.moment() > sub.heard[i].until
		}
	}
	return false
}

// hear takes note of a unit beside the main track. False after a change of rendition for one that the other
// rendition had as well: layers of one publisher share their sound.
func (sub *Subscriber) hear(u *Unit) bool {
	at := u.moment() // the clocks of two renditions' sound may differ
	for i := range sub.heard {
		h := &sub.heard[i]
		if h.track != u.Track.ID {
			continue
		}
		if h.switched && at <= h.until {
			return false
		}
		h.until, h.switched = at, false
		return true
	}
	sub.heard = append(sub.heard, heard{track: u.Track.ID, until: at})
	return true
}
