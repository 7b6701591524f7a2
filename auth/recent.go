package auth

import (
	"container/list"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// recent is a map of bounded size: what was not asked for the longest gives way. It locks nothing.
type recent[K comparable, V any] struct {
	max   int
	order list.List // of *pair[K, V]; the front is the latest
	at    map[K]*list.Element
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{max: size, at: map[K]*list.Element{}}
}

// get is the value's place, nil if there is none.
func (c *recent[K, V]) get(k K) *V {
	e, ok := c.at[k]
	if !ok {
		return nil
	}
	c.order.MoveToFront(e)
	return &e.Value.(*pair[K, V]).value
}

// put makes a place for a key that has none.
func (c *recent[K, V]) put(k K, v V) *V {
	if oldest := c.order.Back(); len(c.at) >= c.max && oldest != nil {
		c.drop(oldest.Value.(*pair[K, V]).key)
	}
	p := &pair[K, V]{key: k, value: v}
	c.at[k] = c.order.PushFront(p)
	return &p.value
}

func (c *recent[K, V]) drop(k K) {
	if e, ok := c.at[k]; ok {
		c.order.Remove(e)
		delete(c.at, k)
	}
}

// digest names a secret without being one: a hash under a key of this process.
type digest [sha256.Size]byte

// memory remembers for a short time what was verified, by digests of it.
type memory[V any] struct {
	key [sha256.Size]byte // fixed after new
	ttl time.Duration

	mu    sync.Mutex
	known *recent[digest, remembered[V]] // guarded by mu
}

type remembered[V any] struct {
	value V
	until time.Time
}

const memorySize = 4096 // entries

func newMemory[V any](ttl time.Duration) *memory[V] {
	m := &memory[V]{ttl: ttl, known: newRecent[digest, remembered[V]](memorySize)}
	_, _ = rand.Read(m.key[:]) // it never fails
	return m
}

// digest of several texts, each with its length: no two lists have the same.
func (m *memory[V]) digest(texts ...string) digest {
	buffer := make([]byte, 0, 512) // on the stack
	return sha256.Sum256(frame(append(buffer, m.key[:]...), texts))
}

// frame appends texts with their lengths.
func frame(buffer []byte, texts []string) []byte {
	for _, t := range texts {
		buffer = binary.AppendUvarint(buffer, uint64(len(t)))
		buffer = append(buffer, t...)
	}
	return buffer
}

func (m *memory[V]) recall(d digest) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.known.get(d); r != nil {
		if time.Now().Before(r.until) {
			return r.value, true
		}
		m.known.drop(d)
	}
	var zero V
	return zero, false
}

func (m *memory[V]) remember(d digest, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(d, v)
}

// note remembers nothing but d, and tells whether it was not known.
func (m *memory[V]) note(d digest) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.known.get(d); r != nil && time.Now().Before(r.until) {
		return false
	}
	var zero V
	m.put(d, zero)
	return true
}

// put has mu held.
func (m *memory[V]) put(d digest, v V) {
	m.known.drop(d)
	m.known.put(d, remembered[V]{value: v, until: time.Now().Add(m.ttl)})
}
