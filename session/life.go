package session

import (
	"context"
	"sync"
	"time"

	"sluice/peer"
)

// OfferLife is how long a counter-offer waits for its answer (B6).
const OfferLife = 30 * time.Second

// run is the session's life. It owns the connection and the stay.
func (s *Session) run(ctx context.Context) {
	defer s.manager.running.Done()
	defer close(s.done)
	defer s.manager.remove(s)
	defer s.stay.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	var parts sync.WaitGroup
	for _, work := range append(s.part.work(), s.keep) {
		parts.Go(func() {
			if err := work(ctx); ctx.Err() == nil {
				s.end(err)
			}
		})
	}
	<-s.ending
	cancel()
	s.link.Close()
	parts.Wait()
	s.sayEnd()
	s.events.close()
	s.finish()
}

// keep ends the session when it is not answered, does not connect, or when its peer is gone.
func (s *Session) keep(ctx context.Context) error {
	if err := s.await(ctx, s.accepted, OfferLife, ErrOfferExpired); err != nil {
		return err
	}
	if err := s.await(ctx, s.link.Connected(), s.manager.options.ICETimeout, &peer.UnreachableError{}); err != nil {
		return err
	}
	s.stay.place.connected()
	select {
	case <-s.link.Done():
		return s.link.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await returns nil once c is closed, and late if that takes too long.
func (s *Session) await(ctx context.Context, c <-chan struct{}, limit time.Duration, late error) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c:
		return nil
	case <-timer.C:
		return late
	case <-s.link.Done():
		return s.link.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connected is said by the part when media can flow.
func (s *Session) connected() {
	s.mu.Lock()
	s.state = StateConnected
	s.mu.Unlock()
	attrs := []any{"remote", s.link.RemoteAddress(), "after", time.Since(s.created).Round(time.Millisecond)}
	if s.Role() == RolePublish {
		s.log.Info("publisher connected", attrs...)
		return
	}
	s.log.Info("viewer connected", attrs...)
}

func (s *Session) sayEnd() {
	s.mu.Lock()
	why := s.why
	s.mu.Unlock()
	i := s.Info()
	attrs := []any{"reason", reasonText(why), "after", time.Since(s.created).Round(time.Second)}
	if s.Role() == RolePublish {
		s.log.Info("publisher gone", append(attrs, "packets", i.Received.Packets, "lost", i.Received.Lost)...)
		return
	}
	s.log.Info("viewer gone", append(attrs, "packets", i.Stats.Packets, "resent", i.Stats.Resends)...)
}

// reasonText is for a log, where a connection that was closed without an error has a reason as well.
func reasonText(why error) string {
	if why == nil {
		why = ErrDeleted
	}
	return why.Error()
}

func (s *Session) finish() {
	s.mu.Lock()
	s.state = StateClosed
	callbacks := s.onDone
	s.mu.Unlock()
	for _, f := range callbacks {
		f()
	}
}
