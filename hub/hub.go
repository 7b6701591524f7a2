package hub

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Options bounds what the hub keeps of one rendition; whichever comes first.
type Options struct {
	RingMaxAge   time.Duration // 0: 12 s
	RingMaxBytes int           // 0: 16 MiB
}

const (
	defaultRingMaxAge   = 12 * time.Second
	defaultRingMaxBytes = 16 << 20
)

// Hub is the streams by name. All methods may be called from any goroutine.
type Hub struct {
	options Options // fixed after New

	mu      sync.RWMutex
	streams map[string]*Stream // guarded by mu
}

// New makes a hub without streams.
func New(o Options) *Hub {
	if o.RingMaxAge <= 0 {
		o.RingMaxAge = defaultRingMaxAge
	}
	if o.RingMaxBytes <= 0 {
		o.RingMaxBytes = defaultRingMaxBytes
	}
	return &Hub{options: o, streams: make(map[string]*Stream)}
}

// Create adds a stream. It returns *StreamExistsError if the name is taken.
func (h *Hub) Create(name string) (*Stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.streams[name]; ok {
		return nil, &StreamExistsError{Name: name}
	}
	s := newStream(name, h.options)
	h.streams[name] = s
	return s, nil
}

// Stream finds a stream. It returns *StreamNotFoundError if there is none of that name.
func (h *Hub) Stream(name string) (*Stream, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	s, ok := h.streams[name]
	if !ok {
		return nil, &StreamNotFoundError{Name: name}
	}
	return s, nil
}

// Streams lists all streams, by name.
func (h *Hub) Streams() []*Stream {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all := make([]*Stream, 0, len(h.streams))
	for _, s := range h.streams {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Stream) int { return strings.Compare(a.name, b.name) })
	return all
}

// Remove takes a stream out and ends its publishers and subscribers with ErrClosed.
func (h *Hub) Remove(name string) error {
	h.mu.Lock()
	s, ok := h.streams[name]
	delete(h.streams, name)
	h.mu.Unlock()
	if !ok {
		return &StreamNotFoundError{Name: name}
	}
	s.close()
	return nil
}

// Close removes all streams.
func (h *Hub) Close() {
	for _, s := range h.Streams() {
		_ = h.Remove(s.name) // it was there a moment ago; another remover is welcome
	}
}
