package rtpin

import (
	"sync"
	"time"
)

// Synchronizer holds the tracks of one source together: the first video track leads, and the others follow
// it by their sender reports. It may be shared by Receivers on different goroutines.
type Synchronizer struct {
	mu     sync.Mutex
	led    bool // a track leads
	known  bool
	offset time.Duration // of the gateway's timeline to the sender's NTP clock
}

// NewSynchronizer returns a Synchronizer for the tracks of one source.
func NewSynchronizer() *Synchronizer { return &Synchronizer{} }

// join reports whether the track that joins leads.
func (s *Synchronizer) join(video bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !video || s.led {
		return false
	}
	s.led = true
	return true
}

func (s *Synchronizer) setLeader(offset time.Duration, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset, s.known = offset, known
}

// leader is what to add to the sender's NTP time to get an instant of the gateway's timeline.
func (s *Synchronizer) leader() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offset, s.known
}
