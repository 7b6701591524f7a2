//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/camera"
	"sluice/media"
)

// jitter is by how much at most a picture comes earlier or later than its neighbours would have it. It is another one
// for each picture, so that the time stamps of what arrives tell which pictures they are.
const jitter = 2 * time.Millisecond

// sent is a picture, or a packet of sound, as the camera sent it.
type sent struct {
	timestamp uint32
	at        time.Time // when its first packet was to be written
}

// film is a camera in this process, whose clock is ours.
type film struct {
	url    string
	tracks []camera.Track
	units  chan camera.LiveUnit
	pauses chan time.Duration // from hold to play; never closed
	end    context.CancelFunc
	group  *errgroup.Group

	mu   sync.Mutex
	sent map[media.Kind][]sent // guarded by mu
}

// startFilm plays a clip again and again until stop.
func startFilm(ctx context.Context, clip *camera.Clip) (*film, error) {
	f := &film{
		tracks: clip.Tracks, units: make(chan camera.LiveUnit), pauses: make(chan time.Duration), sent: map[media.Kind][]sent{},
	}
	c, err := camera.New(camera.Options{
		Clip: clip, Live: f.units, Listen: "127.0.0.1:0", ReportInterval: time.Second, Sending: f.note, MaxPacketSize: 1200,
	})
	if err != nil {
		return nil, err
	}
	if err = c.Listen(); err != nil {
		return nil, err
	}
	f.url = c.URL()
	ctx, f.end = context.WithCancel(ctx)
	f.group, ctx = errgroup.WithContext(ctx)
	f.group.Go(func() error { return c.Serve(ctx) })
	f.group.Go(func() error { return f.play(ctx) })
	return f, nil
}

func (f *film) stop() {
	f.end()
	if err := f.group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "the camera:", err)
	}
}

func (f *film) note(t media.Track, s camera.Sent) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[t.Kind] = append(f.sent[t.Kind], sent{timestamp: s.Timestamp, at: now})
}

// sentOf is what was sent so far of a kind.
func (f *film) sentOf(kind media.Kind) []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.sent[kind]...)
}

// soundRate is that of the sound's time stamps, in Hz; 0 without sound.
func (f *film) soundRate() int {
	for _, t := range f.tracks {
		if t.Kind == media.Audio {
			return t.ClockRate
		}
	}
	return 0
}

// reel is how far a track has come.
type reel struct {
	*camera.Track
	next   int // units so far
	jitter time.Duration
	random *rand.Rand // nil: without jitter
}

func (r *reel) unit() camera.Unit { return r.Units[r.next%len(r.Units)] }

// since is a time of the unit that is next, since the film began.
func (r *reel) since(ticks int64) time.Duration {
	return time.Duration(r.next/len(r.Units))*r.Period + media.Duration(ticks, r.ClockRate) + r.jitter
}

func (r *reel) advance() {
	r.next++
	if r.random != nil {
		r.jitter = time.Duration(r.random.Int64N(int64(2*jitter))) - jitter
	}
}

// play feeds the camera in real time.
func (f *film) play(ctx context.Context) error {
	var reels []*reel
	for i := range f.tracks {
		r := &reel{Track: &f.tracks[i]}
		if r.Kind == media.Video {
			r.random = rand.New(rand.NewPCG(1, 2))
		}
		reels = append(reels, r)
	}
	base := time.Now().Add(jitter)
	for ctx.Err() == nil {
		track := earliest(reels)
		r := reels[track]
		u := r.unit()
		select {
		case <-time.After(time.Until(base.Add(r.since(u.DTS)))):
		case d := <-f.pauses:
			base = base.Add(d)
			continue
		case <-ctx.Done():
			return nil
		}
		select {
		case f.units <- camera.LiveUnit{Track: track, At: base.Add(r.since(u.PTS)), Data: u.Data}:
		case <-ctx.Done():
		}
		r.advance()
	}
	return nil
}

// earliest is the place of the reel whose unit is due first.
func earliest(reels []*reel) int {
	best := 0
	for i, r := range reels {
		if r.since(r.unit().DTS) < reels[best].since(reels[best].unit().DTS) {
			best = i
		}
	}
	return best
}

// hold has the camera send nothing for a while, and returns when it goes on.
func (f *film) hold(ctx context.Context, d time.Duration) (until time.Time, err error) {
	select {
	case f.pauses <- d:
		until = time.Now().Add(d)
		return until, wait(ctx, d)
	case <-ctx.Done():
		return until, ctx.Err()
	}
}

// wait waits, and returns the error of a context that ends meanwhile.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
