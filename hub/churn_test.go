package hub_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"sluice/hub"
	"sluice/media"
)

// Layers that stop and start beside viewers who switch at random: no sound comes twice or goes back, and a picture of
// another layer, or of a layer that was away, is a keyframe first.
func TestViewersSwitchWhileLayersComeAndGo(t *testing.T) {
	s := newStream(t, hub.Options{})
	rids := []string{"h", "m", "l"}
	c := newSimulcast(t, s, rids...)
	done := make(chan struct{})
	errs := make(chan error, 4)
	var others sync.WaitGroup
	for i := range 4 {
		sub := subscribe(t, s, rids[i%3], hub.StartKeyframe)
		next := sub.TryNext
		if i%2 == 1 {
			next = func() (*hub.Unit, bool) { return asideFirst(sub) }
		}
		go func() { errs <- watchSwitching(sub, next, done) }()
		others.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 2))
			for !closed(done) {
				sub.SelectRendition(rids[r.IntN(3)])
				sub.RequestKeyframe()
				_, _, _ = sub.Rendition(), s.Renditions(), s.LastTracks()
			}
		})
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 5000 {
		rid := rids[r.IntN(3)]
		if i%50 == 49 && c.layers[rid] != nil {
			c.layers[rid].Close()
			delete(c.layers, rid)
		} else if i%50 == 24 && c.layers[rid] == nil {
			c.layers[rid] = publish(t, s, rid, video, audio)
		}
		c.sound()
		for rid := range c.layers {
			c.picture(rid, r.IntN(10) == 0)
		}
	}
	close(done)
	others.Wait()
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// asideFirst reads sound ahead of pictures, and goes back now and then.
func asideFirst(sub *hub.Subscriber) (*hub.Unit, bool) {
	if u, ok := sub.TryAside(); ok {
		return u, true
	}
	if newest := sub.Newest(); newest != nil && newest.Index%37 == 0 && sub.Behind() == 0 {
		sub.Rewind()
	}
	return sub.TryNext()
}

func watchSwitching(sub *hub.Subscriber, next func() (*hub.Unit, bool), done <-chan struct{}) error {
	var publisher uint32
	var count uint64
	sound := int64(-1)
	for {
		u, ok := next()
		switch {
		case !ok:
			select {
			case <-done:
				return nil
			case <-sub.Wake():
			}
		case u.Track.Kind == media.Audio:
			if u.PTS <= sound {
				return fmt.Errorf("sound of %d after %d", u.PTS, sound)
			}
			sound = u.PTS
		default:
			if (u.Publisher != publisher || u.Count != count+1) && !u.Keyframe {
				return fmt.Errorf("picture %d of publisher %d after %d of %d is no keyframe", u.Count, u.Publisher, count, publisher)
			}
			publisher, count = u.Publisher, u.Count
		}
	}
}
