package resource

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"sluice/session"
)

// key is the hash of a session's URL. Looking it up takes a time that says nothing about the URLs that there are,
// and a right ID below a wrong endpoint is as unknown as any (A9, J9).
type key [sha256.Size]byte

func keyOf(url string) key { return sha256.Sum256([]byte(url)) }

// entry is a session that lives.
type entry struct {
	made Made
	turn chan struct{} // capacity 1: holds something while a PATCH is under way, so that its ETag goes with its body
}

// grave is what is remembered of a session that is over.
type grave struct {
	until   time.Time
	verdict session.PeerVerdict
}

// add keeps a session under its URL until it is over, and a tombstone after that.
func (s *Resources) add(url string, made Made) *entry {
	e := &entry{made: made, turn: make(chan struct{}, 1)}
	s.mu.Lock()
	s.live[keyOf(url)] = e
	s.mu.Unlock()
	made.Session.OnDone(func() { s.bury(url, made.Session.Verdict()) })
	return e
}

// bury leaves a tombstone, and takes away those whose time is over: they are in the order of their age, so that no
// number of them makes this slow.
func (s *Resources) bury(url string, v session.Verdict) {
	k := keyOf(url)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	delete(s.live, k)
	for len(s.graves) > 0 && now.After(s.over[s.graves[0]].until) {
		delete(s.over, s.graves[0])
		s.graves = s.graves[1:]
	}
	s.over[k] = grave{until: now.Add(tombstone), verdict: v.ForPeer()}
	s.graves = append(s.graves, k)
}

func (s *Resources) find(url string) (*entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.live[keyOf(url)]
	return e, ok
}

// buried finds what is remembered of a session that is over.
func (s *Resources) buried(url string) (grave, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.over[keyOf(url)]
	return g, ok && time.Now().Before(g.until)
}

func (s *Resources) isOver(url string) bool {
	_, ok := s.buried(url)
	return ok
}

// etag names an ICE generation of a session: strong, quoted, never repeated, not to be guessed (A21).
func (s *Resources) etag(e *entry, g session.Generation) string {
	mac := hmac.New(sha256.New, s.secret[:])
	_, _ = fmt.Fprintf(mac, "%s %d", e.made.Session.ID(), g) // never fails
	return `"g` + strconv.Itoa(int(g)) + "-" + hex.EncodeToString(mac.Sum(nil)[:8]) + `"`
}
