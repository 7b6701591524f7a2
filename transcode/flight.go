package transcode

import (
	"sync"
	"time"
)

// maxFlight is how many pictures are remembered that have gone in and not come out.
const maxFlight = 256

// flight is the pictures on their way through an encoder.
type flight struct {
	mu  sync.Mutex
	all []flying
	out time.Duration // from the way in to the way out of the picture that came out last
	n   int           // that have gone in
	saw int           // n at the last look at the lag
}

// flying is one picture.
type flying struct {
	ns  int64     // PTS
	at  time.Time // when it went in
	ntp time.Time // the sender's clock at that picture
}

// depart is told of each picture that goes in, but for those that are not to be encoded.
func (f *flight) depart(one flying) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if len(f.all) == maxFlight {
		f.all = f.all[:copy(f.all, f.all[1:])]
	}
	f.all = append(f.all, one)
}

// land is told of each picture that has come out; it returns what went in, zero if that is not known. Pictures before
// it will not come any more.
func (f *flight) land(ns int64, now time.Time) flying {
	const exact = int64(time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	var found flying
	kept := f.all[:0]
	for _, one := range f.all {
		switch {
		case one.ns > ns+exact:
			kept = append(kept, one)
		case one.ns >= ns-exact:
			found = one
		}
	}
	f.all = kept
	if !found.at.IsZero() {
		f.out = now.Sub(found.at)
	}
	return found
}

// lag is how far the output is behind the input, as long as there is any.
func (f *flight) lag() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	moving := f.n > f.saw
	f.saw = f.n
	switch {
	case !moving:
		return 0
	case len(f.all) > 0:
		return max(f.out, f.all[len(f.all)-1].at.Sub(f.all[0].at))
	}
	return f.out
}
