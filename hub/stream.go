package hub

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"sluice/media"
)

// State is how a stream's source does.
type State string

// The states of a source.
const (
	StateIdle       State = "idle"       // starts when somebody watches
	StateConnecting State = "connecting" // is being reached for the first time, or again after a loss
	StateReady      State = "ready"      // publishes
	StateFailed     State = "failed"     // could not be reached; is tried again
)

// Stream is a name, its renditions, who writes and who reads. It outlives its publishers, so that viewers
// survive a camera's reconnect. All methods may be called from any goroutine.
type Stream struct {
	name    string  // fixed after newStream
	options Options // fixed after newStream

	drops           dropCounters
	bytesIn         atomic.Uint64
	unitsIn         atomic.Uint64
	keyframesWanted atomic.Uint64
	keyframesAsked  atomic.Uint64

	mu          sync.Mutex               // taken before a rendition's mu
	renditions  map[string]*rendition    // guarded by mu
	publishers  int                      // guarded by mu; how many are open
	published   uint32                   // guarded by mu; how many there ever were
	publication uint64                   // guarded by mu; counts how often publishers went from none to some
	subscribers map[*Subscriber]struct{} // guarded by mu
	wants       int                      // guarded by mu
	wished      map[string]int           // guarded by mu; wishes of WantRendition, by name
	state       State                    // guarded by mu
	why         error                    // guarded by mu
	watch       chan struct{}            // guarded by mu; closed and replaced at every change
	ended       bool                     // guarded by mu
}

func newStream(name string, o Options) *Stream {
	return &Stream{
		name:        name,
		options:     o,
		renditions:  make(map[string]*rendition),
		subscribers: make(map[*Subscriber]struct{}),
		wished:      make(map[string]int),
		state:       StateIdle,
		watch:       make(chan struct{}),
	}
}

// Name is the stream's name.
func (s *Stream) Name() string { return s.name }

// Publish opens the writing end of a rendition. tracks are what the source carries, and what it has but does
// not carry (media.Track.Skipped). It returns *RenditionBusyError while another publisher is open, and
// ErrClosed if the stream has been removed.
func (s *Stream) Publish(rendition string, tracks []media.Track) (*Publisher, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && s.publishers == 0 {
		s.forget()
		s.publication++
	}
	p, err := s.open(rendition, s.publication, tracks)
	if err == nil {
		s.publishers++
	}
	return p, err
}

// open needs mu.
func (s *Stream) open(rendition string, publication uint64, tracks []media.Track) (*Publisher, error) {
	if s.ended {
		return nil, ErrClosed
	}
	r := s.rendition(rendition)
	if r.current() != nil {
		return nil, &RenditionBusyError{Stream: s.name, Rendition: rendition}
	}
	s.published++
	p := r.open(s, s.published, publication, tracks)
	s.signal()
	return p, nil
}

// release is called once for each publisher.
func (s *Stream) release(p *Publisher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.rendition.release(p)
	if !p.derived {
		s.publishers--
	}
	s.signal()
}

// rendition finds a rendition or makes it. It needs mu.
func (s *Stream) rendition(name string) *rendition {
	r, ok := s.renditions[name]
	if !ok {
		r = newRendition(name, s.options)
		s.renditions[name] = r
	}
	return r
}

// forget drops the renditions of earlier publishers that nobody reads or wants: names come from the network, and
// must not add up. It needs mu, and that no publisher is open but for derived renditions.
func (s *Stream) forget() {
	used := make(map[*rendition]bool, len(s.subscribers))
	for sub := range s.subscribers {
		used[sub.wanted.Load()], used[sub.at.Load()] = true, true
	}
	maps.DeleteFunc(s.renditions, func(_ string, r *rendition) bool { return !used[r] && r.current() == nil })
}

// Tracks is what the rendition's publisher carries; nil while nobody publishes it.
func (s *Stream) Tracks(rendition string) []media.Track {
	r := s.existing(rendition)
	if r == nil {
		return nil
	}
	if p := r.current(); p != nil {
		return p.Tracks()
	}
	return nil
}

// existing is nil if nobody has published or wanted the rendition.
func (s *Stream) existing(rendition string) *rendition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renditions[rendition]
}

// RequestKeyframe asks the rendition's source for a keyframe, merged with the wishes of all others to one each
// 500 ms.
func (s *Stream) RequestKeyframe(rendition string) {
	if r := s.existing(rendition); r != nil {
		r.requestKeyframe()
	}
}

// SetState is said by whoever runs the source. why is the error behind StateFailed, or behind a StateConnecting
// that follows a loss.
func (s *Stream) SetState(st State, why error) {
	s.mu.Lock()
	s.state, s.why = st, why
	s.signal()
	s.mu.Unlock()
}

// State is how the source does, and why.
func (s *Stream) State() (State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.why
}

// Want says that somebody waits for the source without reading yet; release takes that back and may be called
// twice.
func (s *Stream) Want() (release func()) {
	s.want(1)
	var once sync.Once
	return func() { once.Do(func() { s.want(-1) }) }
}

func (s *Stream) want(by int) {
	s.mu.Lock()
	s.wants += by
	s.signal()
	s.mu.Unlock()
}

// Wanted reports whether anybody subscribes or waits.
func (s *Stream) Wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wants > 0 || len(s.subscribers) > 0
}

// Viewers is the number of subscribers, without those that forward the stream.
func (s *Stream) Viewers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for sub := range s.subscribers {
		if !sub.forwards.Load() {
			n++
		}
	}
	return n
}

// Changed is closed at the next change of state, tracks or interest. Take it, look at the stream, then wait on
// it: no change is lost.
func (s *Stream) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}

// Signal closes Changed for those who look at the stream for what the hub does not know: it has changed.
func (s *Stream) Signal() {
	s.mu.Lock()
	s.signal()
	s.mu.Unlock()
}

// signal needs mu.
func (s *Stream) signal() {
	close(s.watch)
	s.watch = make(chan struct{})
}

func (s *Stream) close() {
	s.mu.Lock()
	s.ended = true
	subscribers := make([]*Subscriber, 0, len(s.subscribers))
	for sub := range s.subscribers {
		subscribers = append(subscribers, sub)
	}
	publishers := make([]*Publisher, 0, len(s.renditions))
	for _, r := range s.renditions {
		if p := r.current(); p != nil {
			publishers = append(publishers, p)
		}
	}
	s.mu.Unlock()
	for _, sub := range subscribers {
		sub.Close()
	}
	for _, p := range publishers {
		p.Close()
	}
}

// Stats is what a stream has counted since it was made, and what it holds now.
type Stats struct {
	BytesIn, UnitsIn uint64 // written by publishers
	Dropped          map[DropReason]uint64
	KeyframesWanted  uint64 // wishes of subscribers
	KeyframesAsked   uint64 // of those, passed on to a publisher
	RingBytes        int64  // held now, over all renditions
	RingUnits        int    // likewise: pictures, sounds and whatever else came

	// RingAge is the time from the oldest to the newest unit held, of the rendition that holds the longest.
	RingAge time.Duration
}

// Stats reads the counters.
func (s *Stream) Stats() Stats {
	st := Stats{
		BytesIn: s.bytesIn.Load(), UnitsIn: s.unitsIn.Load(), Dropped: s.drops.snapshot(),
		KeyframesWanted: s.keyframesWanted.Load(), KeyframesAsked: s.keyframesAsked.Load(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.renditions {
		units, age := r.ring.held()
		st.RingBytes += r.ring.bytes.Load()
		st.RingUnits += units
		st.RingAge = max(st.RingAge, age)
	}
	return st
}
