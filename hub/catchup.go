package hub

import "sluice/media"

// Behind is how many units of the main track TryNext has not come to yet; 0 at live.
func (sub *Subscriber) Behind() int {
	r := sub.reading.ring
	newest, next := r.at(r.main.Load()), r.at(sub.cursor)
	if next == nil && sub.cursor < r.head.Load() { // it has fallen out, and will go on at the newest keyframe
		next = r.at(r.gopStart())
	}
	if newest == nil || next == nil {
		return 0
	}
	before := next.ordinal
	if next.main {
		before--
	}
	return int(newest.ordinal - min(before, newest.ordinal))
}

// Newest is the newest unit of the main track in the rendition that is read, nil if the ring holds none.
func (sub *Subscriber) Newest() *Unit {
	r := sub.reading.ring
	return r.at(r.main.Load())
}

// TryAside is the next unit of the tracks beside the main one, ahead of the pictures before it, which TryNext still
// delivers: sound that need not wait until a reader has caught up. TryNext does not deliver it again.
func (sub *Subscriber) TryAside() (*Unit, bool) {
	if !sub.audible {
		return nil, false
	}
	r := sub.reading.ring
	head := r.head.Load()
	sub.aside = max(sub.aside, sub.cursor)
	for sub.aside < head {
		u := r.at(sub.aside)
		if u == nil {
			sub.aside = max(sub.aside+1, r.tail.Load())
			continue
		}
		sub.aside++
		if !u.main && sub.hear(u) {
			return u, true
		}
	}
	return nil, false
}

// Rewind goes back to the newest keyframe that the ring holds of the rendition that is read, and leaves the other
// tracks where they are. It reports false if there is none to go back to: none is held, it is still to be delivered,
// its publisher has closed, or there is sound alone.
func (sub *Subscriber) Rewind() bool {
	r := sub.reading
	g := r.ring.gopStart()
	key := r.ring.at(g)
	if key == nil || key.Track.Kind == media.Audio || g >= sub.cursor || r.current() == nil {
		return false
	}
	sub.aside = max(sub.aside, sub.cursor)
	sub.cursor, sub.waitKey, sub.audible = g, true, true
	return true
}

// Bitrate is that of the rendition that is read, all tracks together, in bit/s, measured over about 2 s; 0 until known.
func (sub *Subscriber) Bitrate() int {
	if m := sub.reading.meter.Load(); m != nil {
		return int(m.rate.Load())
	}
	return 0
}
