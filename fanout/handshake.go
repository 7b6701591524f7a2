package fanout

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sluice/transport"
)

const (
	// handshakeLimit is from the first DTLS packet to keys (I30).
	handshakeLimit = 10 * time.Second
	// handshakesAtOnce bounds the handshakes that are worked on, so that a crowd of new viewers can't slow those who watch.
	handshakesAtOnce = 64
	// handshakeTurn is after which time a handshake waits for its peer rather than for us, and is not counted any more:
	// peers who begin and fall silent must not keep the others waiting.
	handshakeTurn = time.Second
	// handshakesUnderWay bounds them all, and what they hold in memory.
	handshakesUnderWay = 1024
	// handshakesWaiting is how many more may queue; the rest are asked again by their viewers' retransmissions.
	handshakesWaiting = 2048
	// settleAfter is how long a handshake can be asked for its last flight again at most.
	settleAfter = 10 * time.Second
)

// handshake is the DTLS side of a session.
type handshake struct {
	from atomic.Pointer[transport.Path] // where DTLS came from last

	mu      sync.Mutex
	pipe    *pipe                      // guarded by mu; nil before the first packet
	secured *secured                   // guarded by mu; nil before keys are agreed on
	failure transport.HandshakeFailure // guarded by mu; "": none
	since   time.Time                  // guarded by mu; of secured
	heard   bool                       // guarded by mu; the viewer has used its keys, so it needs nothing of the handshake again
	settled bool                       // guarded by mu
	over    bool                       // guarded by mu
}

// receiveDTLS takes a packet of the handshake, or of its end.
func (s *Session) receiveDTLS(data []byte, from transport.Path) {
	h := &s.inner
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over:
		return
	case h.secured == nil:
		s.witness.Incoming(data)
	case h.settled:
		s.fanout.goodbye(s, data)
		return
	}
	if last := h.from.Load(); last == nil || *last != from {
		h.from.Store(&from)
	}
	if h.pipe == nil {
		h.pipe = newPipe(from.Remote, s.writeDTLS)
		if !s.fanout.queue(s) {
			h.pipe = nil // too many wait: the viewer sends its ClientHello again
			return
		}
	}
	h.pipe.deliver(data)
}

// writeDTLS answers where the viewer's DTLS came from.
func (s *Session) writeDTLS(data []byte) error {
	err := s.fanout.options.Port.WriteTo(data, *s.inner.from.Load())
	s.witness.Outgoing(data, err)
	return err
}

// shake makes the handshake; it is called by one of the bounded workers.
func (s *Session) shake(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	secured, err := s.fanout.handshaker.run(ctx, s.inner.pipe, s.wanted)
	if err == nil {
		err = s.secure(secured)
	}
	if err != nil {
		s.fanout.counters.failed.Add(1)
		s.fanout.options.Log.Debug("no encryption agreed on with a viewer", slog.String("remote", s.RemoteAddress()), slog.Any("err", err))
		s.end(&transport.HandshakeError{Failure: s.failed(err)})
	}
}

// secure begins to use the keys.
func (s *Session) secure(d *secured) error {
	keys := d.keys()
	out, err := newSealer(keys)
	if err != nil {
		d.close(s.writeDTLS)
		return err
	}
	in, err := newOpener(keys)
	if err != nil {
		d.close(s.writeDTLS)
		return err
	}
	h := &s.inner
	h.mu.Lock()
	over := h.over
	h.secured, h.since = d, time.Now()
	h.mu.Unlock()
	if over {
		d.close(s.writeDTLS)
		return nil
	}
	s.ears.listen(in)
	s.mu.Lock()
	s.sealer = out
	s.mu.Unlock()
	s.alive(time.Now())
	s.fanout.counters.completed.Add(1)
	close(s.connected)
	return nil
}

// settle gives back what only the handshake needed.
func (h *handshake) settle(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.secured == nil || h.settled || h.over || !h.heard && now.Sub(h.since) < settleAfter {
		return
	}
	h.settled = true
	h.secured.settle()
	h.pipe = nil
}

// reads reports whether a record that came after the handshake was settled is the viewer's goodbye.
func (h *handshake) reads(record []byte) bool {
	h.mu.Lock()
	d, over := h.secured, h.over
	h.mu.Unlock()
	return d != nil && !over && d.record(record)
}

// left reports whether the viewer has said goodbye before the handshake was settled.
func (h *handshake) left() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.secured == nil || h.settled {
		return false
	}
	select {
	case <-h.secured.closedByPeer():
		return true
	default:
		return false
	}
}

// hangUp says goodbye. A handshake under way ends by itself once its pipe is closed.
func (s *Session) hangUp() {
	h := &s.inner
	h.mu.Lock()
	d, p, done := h.secured, h.pipe, h.over
	h.over = true
	h.mu.Unlock()
	switch {
	case done:
	case d != nil:
		d.close(s.writeDTLS)
	case p != nil:
		p.close()
	}
}
