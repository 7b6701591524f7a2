package session

import (
	"context"
	"strings"
	"time"

	"sluice/negotiation"
)

// OfferLife is how long a counter-offer waits for its answer (B6).
const OfferLife = 30 * time.Second

// run is the session's life. It owns the connection and the stay.
func (s *Session) run(ctx context.Context) {
	defer s.manager.running.Done()
	defer close(s.done)
	s.end(s.part.live(ctx))
	s.settle() // before the connection forgets what it has seen
	s.link.Close()
	s.sayEnd()
	s.events.close()
	s.stay.leave()
	s.manager.remove(s) // before finish: who is told that the session is over does not find it any more
	s.finish()
}

// connected is said by the part when media can flow.
func (s *Session) connected() {
	s.mu.Lock()
	s.state, s.since = StateConnected, time.Now()
	s.mu.Unlock()
	attrs := []any{"remote", s.link.RemoteAddress(), "after", time.Since(s.created).Round(time.Millisecond)}
	if s.Role() == RolePublish {
		s.log.Info("publisher connected", attrs...)
		return
	}
	attrs = append(attrs, "way", s.viewer.route.Way)
	if why := s.viewer.route.Reason; why != "" {
		attrs = append(attrs, "why", why)
	}
	if why := transcoded(s.Info().Choices); why != "" {
		attrs = append(attrs, "transcoded", why)
	}
	s.log.Info("viewer connected", attrs...)
}

// transcoded says why some of what is sent is made anew; "" if nothing is.
func transcoded(choices []negotiation.Choice) string {
	var why []string
	for _, c := range choices {
		if c.Action == negotiation.Transcoded {
			why = append(why, c.Reason)
		}
	}
	return strings.Join(why, " ")
}

func (s *Session) sayEnd() {
	s.mu.Lock()
	why, verdict, never := s.why, s.verdict, s.since.IsZero()
	s.mu.Unlock()
	i := s.Info()
	if never && verdict.Reason != "" && verdict.Reason != CauseRefused { // whom we send away has not been waited for
		s.neverConnected(i, verdict)
		return
	}
	attrs := []any{"reason", reasonText(why), "after", time.Since(s.created).Round(time.Second)}
	if s.Role() == RolePublish {
		s.log.Info("publisher gone", append(attrs, "packets", i.Received.Packets, "lost", i.Received.Lost)...)
		return
	}
	s.log.Info("viewer gone", append(attrs, "packets", i.Stats.Packets, "resent", i.Stats.Resent)...)
}

// neverConnected tells once why, and remembers it.
func (s *Session) neverConnected(i Info, v *Verdict) {
	i.State, i.Verdict = StateClosed, v
	s.manager.history.add(i, time.Now())
	attrs := []any{"reason", v.Reason, "why", v.Sentence, "after", time.Since(s.created).Round(time.Second)}
	if v.Advice != "" {
		attrs = append(attrs, "advice", v.Advice)
	}
	if s.Role() == RolePublish {
		s.log.Info("publisher never connected", attrs...)
		return
	}
	s.log.Info("viewer never connected", attrs...)
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
