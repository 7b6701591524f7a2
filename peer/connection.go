package peer

import (
	"sync/atomic"

	"sluice/hub"
	"sluice/rtpout"
)

// Connection is one PeerConnection that sends tracks. All methods may be called from any goroutine.
type Connection struct {
	link
	tracks []*outgoing      // fixed after Play
	total  *rtpout.Counters // fixed after Play; what all connections of a stream have counted, or nil

	wake     waker                         // capacity 1; sent to by the feed's writer, never closed
	feedback chan feedback                 // capacity feedbackQueue; sent to by the readers, never closed
	player   atomic.Pointer[rtpout.Player] // set by Start
}

// waker wakes the goroutine that sends.
type waker chan struct{}

// Wake implements hub.Waker.
func (w waker) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

// Start begins to send a feed, on a goroutine of the connection's that ends with it. It is called once, after
// Connected is closed. The subscriber is for whoever looks after the feed; the connection closes it. An error of the
// feed, such as hub.ErrClosed, ends the connection.
func (c *Connection) Start(f rtpout.Feed) (*hub.Subscriber, error) {
	all := make([]rtpout.Outgoing, 0, len(c.tracks))
	for _, t := range c.tracks {
		all = append(all, t.out)
	}
	p, err := rtpout.NewPlayer(f, c.wake, all, c.total)
	if err != nil {
		return nil, err
	}
	if !c.startReader() {
		p.Close()
		return nil, c.why()
	}
	sub := p.Subscriber()
	c.player.Store(p)
	go c.play(p)
	return sub, nil
}

// Stats is what this connection has counted.
func (c *Connection) Stats() rtpout.Stats {
	if p := c.player.Load(); p != nil {
		return p.Stats()
	}
	return rtpout.Stats{}
}
