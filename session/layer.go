package session

import (
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
)

// layer is one layer of a publisher's picture, and the rendition that it becomes. All but its goroutine belongs to
// the goroutine that calls the layers.
type layer struct {
	rid       string // "" if it is the only one
	rendition string

	track *media.Track // nil before anything has come
	begun time.Time    // when its first packet came; zero after close
	heard time.Time    // when its last unit came
	asked time.Time    // when it was asked for its first keyframe; zero: not yet

	publisher *hub.Publisher // nil while it is not published
	stop      chan struct{}  // closed by close: ends forward
	forwarder sync.WaitGroup
}

// open publishes the layer. ask is called, on a goroutine of the layer's, when somebody wants a keyframe of it.
func (v *layer) open(s *hub.Stream, tracks []media.Track, ask func(rid string)) error {
	p, err := s.Publish(v.rendition, tracks)
	if err != nil {
		return err
	}
	v.publisher, v.stop = p, make(chan struct{})
	stop := v.stop
	v.forwarder.Go(func() {
		for {
			select {
			case <-p.KeyframeRequests():
				ask(v.rid)
			case <-stop:
				return
			}
		}
	})
	return nil
}

// update tells those who watch what is known of a track now.
func (v *layer) update(t media.Track) error {
	if v.publisher == nil {
		return nil
	}
	return v.publisher.Update(t)
}

func (v *layer) write(track string, au *media.AccessUnit) error {
	if v.publisher == nil {
		return nil
	}
	return v.publisher.Write(track, au)
}

// close ends the rendition, until its next keyframe at least.
func (v *layer) close() {
	if v.publisher == nil {
		return
	}
	v.publisher.Close()
	close(v.stop)
	v.forwarder.Wait()
	v.publisher, v.begun, v.asked = nil, time.Time{}, time.Time{}
}
