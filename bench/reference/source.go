package main

import (
	"errors"
	"sync"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"
)

// queueSize is how many packets may wait for a viewer; more are lost for it.
const queueSize = 512

// sample is one packet on its way to a viewer. The packet is shared by all.
type sample struct {
	video  bool
	packet *rtp.Packet
}

// public is all who watch.
type public struct {
	mu     sync.RWMutex
	queues map[chan sample]struct{} // guarded by mu; of queueSize, sent by write, never closed
}

func newPublic() *public { return &public{queues: map[chan sample]struct{}{}} }

func (p *public) enter() chan sample {
	q := make(chan sample, queueSize)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues[q] = struct{}{}
	return q
}

func (p *public) leave(q chan sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.queues, q)
}

func (p *public) write(s sample) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for q := range p.queues {
		select {
		case q <- s:
		default:
		}
	}
}

var errNoH264 = errors.New("it has no H.264")

// pull plays the source to the public, until the client is closed.
func pull(source string, p *public) (*gortsplib.Client, error) {
	u, err := base.ParseURL(source)
	if err != nil {
		return nil, err
	}
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host}
	if err = c.Start2(); err != nil {
		return nil, err
	}
	desc, _, err := c.Describe(u)
	if err == nil {
		err = play(c, desc, p)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func play(c *gortsplib.Client, desc *description.Session, p *public) error {
	var video *format.H264
	media := desc.FindFormat(&video)
	if media == nil {
		return errNoH264
	}
	if _, err := c.Setup(desc.BaseURL, media, 0, 0); err != nil {
		return err
	}
	c.OnPacketRTP(media, video, func(packet *rtp.Packet) { p.write(sample{video: true, packet: packet}) })
	var audio *format.Opus
	if media := desc.FindFormat(&audio); media != nil {
		if _, err := c.Setup(desc.BaseURL, media, 0, 0); err != nil {
			return err
		}
		c.OnPacketRTP(media, audio, func(packet *rtp.Packet) { p.write(sample{packet: packet}) })
	}
	_, err := c.Play(nil)
	return err
}
