package transcode

import "sync"

// slots bounds how many encoders of one kind run at a time. One that nobody watches any more makes room for one that
// is wanted.
type slots struct {
	limit int    // fixed
	freed func() // fixed; called without a lock when there may be room again

	mu   sync.Mutex
	held map[*slot]struct{} // guarded by mu
}

// slot is the right to run one encoder.
type slot struct {
	of      *slots
	wanted  chan struct{} // capacity 1, sent to by take: somebody else could use it, and it is idle
	idle    bool          // guarded by of.mu: nobody watches; it runs on for some time
	leaving bool          // guarded by of.mu: it was told to go
	reduced bool          // guarded by of.mu: even doing the least it can't keep up
}

func newSlots(limit int, freed func()) *slots {
	return &slots{limit: limit, freed: freed, held: make(map[*slot]struct{})}
}

// take returns nil if there is no room.
func (s *slots) take() *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.makeRoom() {
		return nil
	}
	one := &slot{of: s, wanted: make(chan struct{}, 1)}
	s.held[one] = struct{}{}
	return one
}

// hasRoom reports whether take would find room.
func (s *slots) hasRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.makeRoom()
}

// makeRoom reports whether there is room. If an idle encoder is in the way it is told to go; freed is called then. It
// needs mu.
func (s *slots) makeRoom() bool {
	if s.overloaded() {
		return false
	}
	if len(s.held) < s.limit {
		return true
	}
	var idle *slot
	for one := range s.held {
		if one.leaving {
			return false // one wish ends one encoder, however often it is asked
		}
		if one.idle {
			idle = one
		}
	}
	if idle != nil {
		idle.leaving = true
		idle.tell()
	}
	return false
}

// yields reports whether the slot is still idle. If it is not, another one may have to go.
func (o *slot) yields() bool {
	o.of.mu.Lock()
	o.leaving = o.leaving && o.idle
	idle := o.idle
	o.of.mu.Unlock()
	if !idle {
		o.of.freed()
	}
	return idle
}

func (o *slot) tell() {
	select {
	case o.wanted <- struct{}{}:
	default:
	}
}

// full reports whether take would find no room even if all idle encoders went, and overloaded whether an encoder that
// runs has too little of the machine already.
func (s *slots) full() (full, overloaded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	busy := 0
	for one := range s.held {
		if !one.idle {
			busy++
		}
	}
	return busy >= s.limit, s.overloaded()
}

// overloaded needs mu.
func (s *slots) overloaded() bool {
	for one := range s.held {
		if one.reduced {
			return true
		}
	}
	return false
}

func (s *slots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

func (o *slot) setIdle(idle bool) {
	o.of.mu.Lock()
	changed := o.idle != idle
	o.idle = idle
	o.of.mu.Unlock()
	if changed && idle {
		o.of.freed()
	}
}

func (o *slot) setReduced(reduced bool) {
	o.of.mu.Lock()
	changed := o.reduced != reduced
	o.reduced = reduced
	o.of.mu.Unlock()
	if changed && !reduced {
		o.of.freed()
	}
}

// release may be called twice.
func (o *slot) release() {
	o.of.mu.Lock()
	_, held := o.of.held[o]
	delete(o.of.held, o)
	o.of.mu.Unlock()
	if held {
		o.of.freed()
	}
}
