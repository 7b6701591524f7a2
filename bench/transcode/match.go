//go:build linux

package main

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// came is a picture, or a packet of sound, as it came to where it is looked at.
type came struct {
	timestamp uint32
	at        time.Time // when its last packet came
	keyframe  bool
	whole     bool // all its packets came, in order
}

const (
	sameTime = 30 // ticks of 90 kHz by which the time stamps of one picture may differ: a third of a millisecond
	maxBack  = 5 * time.Second
	enough   = 0.8 // of the pictures have to be found again
)

var errNoMatch = errors.New("what came can't be told from other pictures of the camera: their time stamps do not agree")

// script is what a camera sent, by time stamp, with the offset of those who look.
type script struct {
	sent   []sent // by time stamp
	offset uint32 // theirs less the camera's
}

// newScript finds the offset with which the time stamps of what came are those of what was sent. As the camera's
// pictures do not come at even steps there is one only.
func newScript(all []sent, seen []came) (*script, error) {
	if len(all) == 0 || len(seen) == 0 {
		return nil, errNoMatch
	}
	s := &script{sent: slices.Clone(all)}
	slices.SortFunc(s.sent, func(a, b sent) int {
		return cmp.Compare(int32(a.timestamp-all[0].timestamp), int32(b.timestamp-all[0].timestamp))
	})
	best, most := uint32(0), 0
	for i := range 3 { // one picture may be none of the camera's
		anchor := seen[len(seen)*(2*i+1)/6]
		for _, one := range all {
			if age := anchor.at.Sub(one.at); age < 0 || age > maxBack {
				continue
			}
			s.offset = anchor.timestamp - one.timestamp
			if n := s.found(seen); n > most {
				best, most = s.offset, n
			}
		}
	}
	s.offset = best
	if float64(most) < enough*float64(len(seen)) {
		return nil, errNoMatch
	}
	return s, nil
}

// found is how many of those seen were sent.
func (s *script) found(seen []came) int {
	n := 0
	for _, c := range seen {
		if _, ok := s.original(c); ok {
			n++
		}
	}
	return n
}

// original is the picture as it was sent.
func (s *script) original(c came) (sent, bool) {
	after := func(a sent) int32 { return int32(a.timestamp - (c.timestamp - s.offset)) }
	i, _ := slices.BinarySearchFunc(s.sent, c, func(a sent, _ came) int { return cmp.Compare(after(a), -sameTime) })
	if i == len(s.sent) || after(s.sent[i]) > sameTime {
		return sent{}, false
	}
	return s.sent[i], true
}

// after is the picture that was to be shown next after one that came.
func (s *script) after(c came) (sent, bool) {
	after := func(a sent) int32 { return int32(a.timestamp - (c.timestamp - s.offset)) }
	i := slices.IndexFunc(s.sent, func(a sent) bool { return after(a) > sameTime })
	if i < 0 {
		return sent{}, false
	}
	return s.sent[i], true
}

// took is how long each of those seen was on its way.
func (s *script) took(seen []came) []time.Duration {
	var all []time.Duration
	for _, c := range seen {
		if o, ok := s.original(c); ok {
			all = append(all, c.at.Sub(o.at))
		}
	}
	return all
}

// held is how many pictures that were sent before a pause came only after its end.
func (s *script) held(seen []came, end time.Time) int {
	n := 0
	for _, c := range seen {
		if o, ok := s.original(c); ok && o.at.Before(end) && !c.at.Before(end) {
			n++
		}
	}
	return n
}

// between are those that came from one time to another.
func between(seen []came, from, to time.Time) []came {
	var all []came
	for _, c := range seen {
		if !c.at.Before(from) && c.at.Before(to) {
			all = append(all, c)
		}
	}
	return all
}
