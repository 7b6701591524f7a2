package rtpout

import (
	"errors"

	"sluice/hub"
	"sluice/media"
)

// ErrUnfit is what a feed's check says of a track of which nothing may be sent for now.
var ErrUnfit = errors.New("the track does not fit what was negotiated")

// open takes the next unit that is sent, sound first. With held, a picture is being written already. It reports false
// if there is none.
func (p *Player) open(held bool, room int) (bool, error) {
	if p.sub.Closed() {
		return false, hub.ErrClosed
	}
	for {
		u, ok := p.sub.TryAside()
		if !ok && !held {
			u, ok = p.sub.TryNext()
		}
		if !ok {
			return false, nil
		}
		t := p.of(u.Track)
		if t == nil {
			continue
		}
		switch err := p.check(t, u.Track); {
		case err == ErrUnfit: //nolint:errorlint // it is said as it is, for each unit
			continue
		case err != nil:
			return false, err
		}
		if p.begin(t, u, room) {
			return true, nil
		}
	}
}

// check asks whether a track may be sent, if it is not the one that was asked for last.
func (p *Player) check(t *track, now *media.Track) error {
	if t.checked == now {
		return nil
	}
	if p.feed.Check != nil {
		if err := p.feed.Check(now); err != nil {
			return err
		}
	}
	t.checked = now
	if now.Rendition != p.reading {
		p.reading = now.Rendition
		if p.feed.Moved != nil {
			p.feed.Moved()
		}
	}
	return nil
}

// begin opens a unit. It reports false for one that has no packets, or of which one would be too large.
func (p *Player) begin(t *track, u *hub.Unit, room int) bool {
	payloads := Payloads(u)
	if len(payloads) == 0 || len(payloads[0].Data) > max(MaxPayload, room-(MaxPacket-MaxPayload)-tagSize) {
		return false
	}
	o := &p.sound
	if u.Track.Kind != media.Audio {
		o = &p.picture
		p.follow(t, u)
		p.pace.adapt(p.now, p.sub.Bitrate())
	}
	t.publisher, t.counted = u.Publisher, u.Count
	*o = opened{track: t, unit: t.open(u, payloads), payloads: payloads, key: u.Keyframe && u.Track.Kind == media.Video}
	o.unit.delay = t.say(u.Keyframe, p.waits(t.times.late > 0))
	if t.out.NACK {
		o.unit.sent = p.milliseconds()
		t.history.add(&o.unit)
	}
	return true
}

// follow looks whether a keyframe goes on with what was sent, and tells how many pictures are to catch up if not.
func (p *Player) follow(t *track, u *hub.Unit) {
	if !u.Keyframe {
		return
	}
	p.wish.open = false
	if u.Publisher == t.publisher && u.Count == t.counted+1 {
		return
	}
	newest := p.sub.Newest() // before the number: pictures may come meanwhile
	if late := p.sub.Behind(); newest != nil {
		t.times.catchUp(1+late, newest.PTS)
	}
}
