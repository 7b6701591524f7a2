package transcode

import (
	"context"

	"sluice/hub"
	"sluice/media"
)

// passage is the goroutine of a derivation: what it passes on of its source, and whom it asks for keyframes.
type passage struct {
	*derivation
	from *hub.Subscriber // nil if nothing is passed on
	last *media.Track    // that was found to be passed on
}

func (d *derivation) run(ctx context.Context) {
	p := &passage{derivation: d}
	if !d.order.makes(media.Video) || !d.order.makes(media.Audio) {
		sub, err := d.stream.hub.Subscribe(d.order.source, hub.StartGOP)
		if err != nil { // the stream has been removed
			return
		}
		defer sub.Close()
		sub.Forward()
		p.from = sub
	}
	p.run(ctx)
}

func (p *passage) run(ctx context.Context) {
	var wake <-chan struct{}
	if p.from != nil {
		wake = p.from.Wake()
	}
	if !p.pass() && !p.order.makes(media.Video) && p.from != nil {
		p.from.RequestKeyframe()
	}
	for {
		select {
		case <-wake:
			p.pass()
		case <-p.wishes():
			p.askForKeyframe()
		case <-p.opened:
		case <-ctx.Done():
			return
		}
	}
}

// wishes are the keyframe requests of the viewers.
func (p *passage) wishes() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.publisher == nil {
		return nil
	}
	return p.publisher.KeyframeRequests()
}

// pass delivers all that there is to pass on, and reports whether that was anything.
func (p *passage) pass() (some bool) {
	if p.from == nil {
		return false
	}
	for {
		u, ok := p.from.TryNext()
		if !ok {
			return some
		}
		if p.passes(u) {
			some = true
			p.deliver(unit{source: u.Publisher, track: u.Track, AccessUnit: u.AccessUnit})
		}
	}
}

// passes reports whether a unit is of a track that viewers get and nobody makes anew.
func (p *passage) passes(u *hub.Unit) bool {
	kind := u.Track.Kind
	switch {
	case u.Track == p.last:
		return true
	case kind != media.Video && kind != media.Audio, p.order.makes(kind), !p.stream.isFirst(p.order.source, u.Track):
		return false
	}
	p.last = u.Track
	return true
}

func (p *passage) askForKeyframe() {
	if !p.order.makes(media.Video) {
		p.stream.hub.RequestKeyframe(p.order.source)
		return
	}
	for _, j := range p.jobs {
		if j.key.kind == media.Video {
			j.requestKeyframe()
		}
	}
}
