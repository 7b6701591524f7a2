package session

import (
	"fmt"
	"time"

	"sluice/negotiation"
)

// Generation counts the generations of a session's ICE, from 1: each restart begins a new one (RFC 9725 4.3).
type Generation int

// What a request can say instead of a generation.
const (
	GenerationAny    Generation = 0  // whichever it is: "*"
	GenerationUnsaid Generation = -1 // nothing
)

// What one session may ask for (A83, J77).
const (
	patchesPerSecond  = 20
	restartsPerMinute = 5
	maxCandidates     = 100
)

// Generation is the present one.
func (s *Session) Generation() Generation {
	s.trickle.mu.Lock()
	defer s.trickle.mu.Unlock()
	return s.trickle.generation
}

// Patch takes a trickle-ice-sdpfrag that was sent for a generation. It adds the candidates and returns "", or, if
// both of the peer's credentials are new, restarts ICE and returns our own fragment, of a new generation
// (RFC 9725 4.3). If a restart fails the old generation goes on. Every error is a *Refusal: ReasonMalformedFragment,
// ReasonFragmentTooLarge, ReasonStaleGeneration, ReasonGenerationUnsaid, ReasonTooMany, ReasonGone or
// ReasonInternal.
func (s *Session) Patch(fragment string, g Generation) (answer string, err error) {
	s.trickle.mu.Lock()
	defer s.trickle.mu.Unlock()
	answer, err = s.patch(fragment, g)
	if err == nil && s.hasEnded() {
		err = errGone()
	}
	if err != nil {
		return "", refusalOf(err)
	}
	return answer, nil
}

func (s *Session) patch(fragment string, g Generation) (string, error) {
	t := s.trickle
	if s.isOver() {
		return "", errGone()
	}
	if wait, ok := t.requests.allow(time.Now()); !ok {
		return "", tooOften("the session takes %d fragments a second", patchesPerSecond, wait)
	}
	f, err := negotiation.ParseFragment(fragment)
	if err != nil {
		return "", err
	}
	if t.offer == nil && t.answer == nil {
		return "", refuse(ReasonMalformedFragment, "the fragment came before the answer to the offer")
	}
	restart, err := t.concerns(f, g, s.manager.options().StrictPreconditions)
	switch {
	case err != nil:
		return "", err
	case restart:
		return s.restart(f)
	}
	if fresh := t.fresh(f); len(fresh) > 0 {
		s.link.AddCandidates(fresh)
	}
	return "", nil
}

func errGone() error { return refuse(ReasonGone, "there is no such session; it may have ended") }

func tooOften(format string, most int, wait time.Duration) error {
	return &Refusal{Reason: ReasonTooMany, RetryAfter: wait, Err: fmt.Errorf(format, most)}
}

func (s *Session) restart(f *negotiation.Fragment) (string, error) {
	t := s.trickle
	if wait, ok := t.restarts.allow(time.Now()); !ok {
		return "", tooOften("the session restarts ICE %d times a minute at most", restartsPerMinute, wait)
	}
	ours, err := s.link.Restart(f)
	if err != nil && s.isOver() {
		return "", errGone()
	}
	if err != nil {
		return "", fmt.Errorf("restart ICE: %w", err)
	}
	t.restarted(f)
	return ours.String(), nil
}

// isOver reports whether the session, or its connection, has ended.
func (s *Session) isOver() bool {
	select {
	case <-s.link.Done():
		return true
	default:
		return s.hasEnded()
	}
}
