package rtpout

import "time"

const (
	// rewindAfter is how long the source has for a keyframe before the viewer gets the cached one again.
	rewindAfter = 300 * time.Millisecond
	// joinWait is the same for a viewer that waits for its first keyframe (B12).
	joinWait = 2 * time.Second
	// rewindPause is the least time between two rewinds of one viewer: each is a burst.
	rewindPause = 5 * time.Second
	// busyWait is how long a rewind waits while the viewer still catches up.
	busyWait = 30 * time.Millisecond
)

// wish is a viewer's wish for a keyframe. All times are ns since the Epoch.
type wish struct {
	open    bool
	due     int64 // when the cached keyframe must do
	any     bool  // it had to do once
	rewound int64 // when it had to do last
}

// WantKeyframe says that the viewer can't go on without a keyframe. The source is asked for one, and if none comes
// within 300 ms the cached GOP is sent once more, at most once in 5 s.
func (p *Player) WantKeyframe(now time.Time) {
	p.tell(now)
	p.counted.wishes.Add(1)
	p.total.wishes.Add(1)
	p.sub.RequestKeyframe()
	if p.wish.open {
		return
	}
	p.wish.open, p.wish.due = true, p.now+int64(rewindAfter)
	if p.reading == "" {
		p.wish.due = max(p.wish.due, p.began+int64(joinWait))
	}
}

// fulfil goes back to the cached keyframe, once the viewer has what it was to get before.
func (p *Player) fulfil() {
	if p.isCatchingUp() {
		p.wish.due = p.now + int64(busyWait)
		return
	}
	p.wish.open = false
	if p.wish.any && p.now-p.wish.rewound < int64(rewindPause) {
		return
	}
	if p.sub.Rewind() {
		p.wish.any, p.wish.rewound = true, p.now
	}
}

func (p *Player) isCatchingUp() bool {
	for i := range p.tracks {
		if p.tracks[i].times.late > 0 {
			return true
		}
	}
	return p.picture.left()
}
