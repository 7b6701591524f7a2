package rtpin

import (
	"sync"
	"time"
)

// leaderGone is how long a leader may send nothing before its word is worth nothing.
const leaderGone = 10 * time.Second

// Synchronizer holds the tracks of one source together: one video track leads, and the others follow it by their
// sender reports. The first to send leads, until it pauses, or another has reports and it has none: layers of a
// simulcast come and go. It may be shared by Receivers on different goroutines.
type Synchronizer struct {
	mu     sync.Mutex
	joined int           // tracks
	leads  int           // which of them leads, 0 if none does
	seen   time.Time     // when its latest unit arrived
	known  bool          // it has reports
	offset time.Duration // of the gateway's timeline to the sender's NTP clock
}

// NewSynchronizer returns a Synchronizer for the tracks of one source.
func NewSynchronizer() *Synchronizer { return &Synchronizer{} }

// join returns the number of the track that joins.
func (s *Synchronizer) join() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joined++
	return s.joined
}

// lead reports whether a video track leads that has a unit now. One that takes over goes on where it is: it has
// followed the one before.
func (s *Synchronizer) lead(track int, reported bool, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	vacant := s.leads == 0 || reported && (!s.known || now.Sub(s.seen) > leaderGone)
	if s.leads != track && !vacant {
		return false
	}
	s.leads, s.seen = track, now
	return true
}

// setLeader is told by a track that leads, or did so until another took over.
func (s *Synchronizer) setLeader(track int, offset time.Duration, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leads == track {
		s.offset, s.known = offset, known
	}
}

// leader is what to add to the sender's NTP time to get an instant of the gateway's timeline.
func (s *Synchronizer) leader(now time.Time) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offset, s.known && now.Sub(s.seen) <= leaderGone
}
