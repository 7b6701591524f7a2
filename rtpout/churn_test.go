package rtpout_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// F26: beside a source that writes as fast as it can and starts anew now and then, viewers that join, lose packets and
// cry for keyframes get one sequence each, in which time never stands still.
func TestViewersBesideABusySource(t *testing.T) {
	s := newStage(t, media.VP8)
	video, audio := s.tracks()
	errs := make(chan error, 4)
	done := make(chan struct{})
	for i := range 4 {
		wake := make(wakes, 1)
		p, err := rtpout.NewPlayer(rtpout.Feed{Stream: s.stream, Rendition: "main", Start: hub.Start(i % 2)}, wake, s.outgoing(), nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { errs <- watchBusily(p, wake, uint64(i), done) }()
	}
	var others sync.WaitGroup
	others.Go(func() {
		defer close(done)
		for i := range 3000 {
			if i%700 == 699 {
				s.source.Close()
				source, err := s.stream.Publish("main", []media.Track{video, audio})
				if err != nil {
					t.Error(err)
					return
				}
				s.source = source
			}
			s.now = time.Now()
			s.size = 2000 + i%7*1000
			s.picture(i%100 == 0)
			s.sound()
		}
	})
	others.Wait()
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

type wakes chan struct{}

// Wake implements hub.Waker.
func (w wakes) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

func watchBusily(p *rtpout.Player, wake wakes, seed uint64, done <-chan struct{}) error {
	defer p.Close()
	r := rand.New(rand.NewPCG(seed, 3))
	var buf [1500]byte
	last := map[byte]uint32{} // sequence number and timestamp, by payload type
	for {
		now := time.Now()
		n, err := p.Next(now, buf[:])
		switch {
		case err != nil:
			return err
		case n > 0:
			pt, at := buf[1]&0x7F, uint32(buf[4])<<24|uint32(buf[5])<<16|uint32(buf[6])<<8|uint32(buf[7])
			sequence := uint32(buf[2])<<8 | uint32(buf[3])
			if before, ok := last[pt]; ok && uint16(sequence) != uint16(before)+1 {
				return fmt.Errorf("sequence number %d after %d", sequence, before)
			}
			if before, ok := last[pt+128]; ok && int32(at-before) < 0 {
				return fmt.Errorf("timestamp %d after %d", at, before)
			}
			last[pt], last[pt+128] = sequence, at
			if r.IntN(50) == 0 {
				p.Nack(now, videoSSRC, uint16(sequence)-uint16(r.IntN(100)))
				for p.NextResend(now, buf[:]) > 0 {
				}
				p.WantKeyframe(now)
				p.Reports(now, buf[:])
			}
			continue
		}
		wait := time.Hour
		if due, ok := p.Due(); ok {
			wait = time.Until(due)
		}
		select {
		case <-wake:
		case <-time.After(wait):
		case <-done:
			if len(last) < 4 {
				return fmt.Errorf("pictures and sound have not come: %v", last)
			}
			return nil
		}
	}
}
