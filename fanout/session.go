package fanout

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

var (
	// ErrOver tells that a session has ended.
	ErrOver = errors.New("the connection is over")
	// ErrStarted tells that Start was called before.
	ErrStarted = errors.New("the connection is sent something already")
)

// Session is one viewer on the fast way. Its goroutines are those of the Fanout, which serve all sessions. All
// methods may be called from any goroutine.
type Session struct {
	fanout      *Fanout                   // fixed
	shard       *shard                    // fixed
	description string                    // fixed: the answer
	outgoing    []rtpout.Outgoing         // fixed
	wanted      []negotiation.Fingerprint // fixed: of the viewer's certificate
	options     rtpout.PlayOptions        // fixed
	mid         string                    // fixed: of the section that has the transport
	kind        media.Kind                // fixed: likewise

	connected chan struct{} // closed by secure
	done      chan struct{} // closed by end
	life      atomic.Int64  // when the viewer was last heard, in nanoseconds since the Fanout began
	poked     atomic.Bool   // it is in shard.poked
	isLate    bool          // owned by the shard: it is in shard.late

	witness transport.Witness // has no lock

	ice   path      // where the viewer is; has its own lock
	inner handshake // DTLS; has its own lock
	ears  ears      // SRTCP; has its own lock
	end1  sync.Once // of end
	err   error     // set by end before done is closed

	mu     sync.Mutex     // taken before that of the shard
	group  *group         // set under mu, before it joins
	stream *hub.Stream    // guarded by mu; nil before Start
	player *rtpout.Player // guarded by mu; nil before Start
	sealer *sealer        // guarded by mu; nil before the handshake
	closed bool           // guarded by mu
}

// Description is our answer.
func (s *Session) Description() string { return s.description }

// AddCandidates does nothing: a responder answers whoever comes.
func (s *Session) AddCandidates([]string) {}

// Connected is closed once media can flow.
func (s *Session) Connected() <-chan struct{} { return s.connected }

// Done is closed when the connection is over; Err says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is why the connection is over: transport.ErrPeerLeft, *transport.UnreachableError, *transport.HandshakeError,
// what the feed ended with, or nil after Close.
func (s *Session) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// RemoteAddress is where the viewer's packets come from, as host:port; "" before a check of it was authentic.
func (s *Session) RemoteAddress() string { return s.ice.remote() }

// Stats is what this session has counted.
func (s *Session) Stats() rtpout.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.player == nil {
		return rtpout.Stats{}
	}
	return s.player.Stats()
}

// Start begins to send what the feed says; it starts no goroutine and is called once, after Connected is closed. The
// feed's functions are called under the session's lock, so they must not call it. The subscriber is the session's own:
// it ends with it. Errors are ErrOver, ErrStarted, and hub.ErrClosed if the stream has been removed.
func (s *Session) Start(f rtpout.Feed) (*hub.Subscriber, error) {
	g := s.shard.group(f.Stream)
	player, err := rtpout.NewPlayer(f, g, s.outgoing, s.options.Total)
	if err == nil {
		if err = s.begin(f.Stream, g, player); err == nil {
			return player.Subscriber(), nil
		}
		player.Close()
	}
	s.shard.forgo(f.Stream, g)
	return nil, err
}

// begin joins the group before anybody can close the session, which leaves it.
func (s *Session) begin(stream *hub.Stream, g *group, player *rtpout.Player) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrOver
	case s.player != nil:
		return ErrStarted
	}
	s.player, s.stream, s.group = player, stream, g
	s.shard.join(stream, s)
	return nil
}

// pump writes all packets that are due into the batch. It reports whether more is due soon without a wake.
func (s *Session) pump(b *transport.Batch, now time.Time) (paced bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.ice.destination()
	if s.closed || s.player == nil || s.sealer == nil || to == nil {
		return false
	}
	b.To(to)
	if err := s.write(b, now); err != nil {
		s.end(err)
		return false
	}
	_, paced = s.player.Due()
	return paced
}

// write needs the lock. Reports go first, since they tell the clock of what follows, then what was lost.
func (s *Session) write(b *transport.Batch, now time.Time) error {
	if err := s.report(b, now); err != nil {
		return err
	}
	for {
		buf := b.Buffer()
		n := s.player.NextResend(now, buf)
		if n == 0 {
			break
		}
		if err := s.seal(b, buf, n); err != nil {
			return err
		}
	}
	for {
		buf := b.Buffer()
		n, err := s.player.Next(now, buf)
		if n == 0 || err != nil {
			return err
		}
		if err := s.seal(b, buf, n); err != nil {
			return err
		}
	}
}

func (s *Session) report(b *transport.Batch, now time.Time) error {
	buf := b.Buffer()
	n := s.player.Reports(now, buf)
	if n == 0 {
		return nil
	}
	n, err := s.sealer.sealRTCP(buf, n)
	if err != nil {
		return err
	}
	b.Add(n)
	return nil
}

func (s *Session) seal(b *transport.Batch, buf []byte, n int) error {
	n, err := s.sealer.sealRTP(buf, n)
	if err != nil {
		return err
	}
	b.Add(n)
	return nil
}

// end is the one way in which a session ends. What it holds is given back by Close.
func (s *Session) end(why error) {
	s.end1.Do(func() {
		s.err = why
		close(s.done)
	})
}

// Close ends the session, with a DTLS close_notify if there was a handshake. It may be called twice.
func (s *Session) Close() {
	s.end(nil)
	s.mu.Lock()
	first, player, stream := !s.closed, s.player, s.stream
	s.closed = true
	s.mu.Unlock()
	if !first {
		return
	}
	if player != nil {
		s.shard.leave(stream, s)
		player.Close()
	}
	s.hangUp()
	s.vanish()
	s.fanout.forget(s)
}

func (s *Session) alive(now time.Time) { s.life.Store(int64(now.Sub(s.fanout.began))) }

// silentFor is how long nothing authentic was heard of the viewer.
func (s *Session) silentFor(now time.Time) time.Duration {
	return now.Sub(s.fanout.began) - time.Duration(s.life.Load())
}

// Restart gives the session new ICE credentials (RFC 8445 2.4): the viewer is found where its next nominated check
// comes from, and media go on to where it was until then. It returns ErrOver once the session has ended.
func (s *Session) Restart(f *negotiation.Fragment) (*negotiation.Fragment, error) {
	fresh := newCredentials(f.ICEUfrag, f.ICEPwd)
	if s.isOver() || !s.renew(fresh) {
		return nil, ErrOver
	}
	return s.fanout.fragment(s, &fresh), nil
}

func (s *Session) isOver() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Session) isConnected() bool {
	select {
	case <-s.connected:
		return true
	default:
		return false
	}
}
