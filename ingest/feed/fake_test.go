package feed

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sluice/hub"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errCrash = errors.New("the worker crashed")

// script is what a fake worker does: it says things, and ends with an error.
type script func(w *fake) error

// fake is a worker that follows a script.
type fake struct {
	ctx    context.Context
	events chan worker.Event
	ended  chan struct{}
	err    error
	cancel context.CancelFunc

	mu       sync.Mutex
	wishes   []uint8
	bitrates []int
}

func start(s script) *fake {
	ctx, cancel := context.WithCancel(context.Background())
	w := &fake{ctx: ctx, cancel: cancel, events: make(chan worker.Event), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		w.err = s(w)
	}()
	return w
}

func (w *fake) Next(ctx context.Context) (worker.Event, error) {
	select {
	case e := <-w.events:
		return e, nil
	case <-w.ended:
		return worker.Event{}, w.err
	case <-ctx.Done():
		return worker.Event{}, context.Cause(ctx)
	}
}

func (w *fake) RequestKeyframe(track uint8) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wishes = append(w.wishes, track)
}

func (w *fake) SetBitrate(_ uint8, bps int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bitrates = append(w.bitrates, bps)
}

// told are the bitrates that it was told.
func (w *fake) told() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bitrates
}

func (w *fake) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.wishes)
}

func (w *fake) Close() {
	w.cancel()
	<-w.ended
}

func (w *fake) say(e worker.Event) {
	select {
	case w.events <- e:
	case <-w.ctx.Done():
	}
}

func (w *fake) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
	}
}

func (w *fake) caps(c wire.Caps) { w.say(worker.Event{Kind: worker.EventCaps, Caps: c}) }

// ready tells how many tracks come.
func (w *fake) ready(tracks int) { w.say(worker.Event{Kind: worker.EventReady, Tracks: tracks}) }

func (w *fake) frame(m wire.Message) {
	m.Type = wire.TypeFrame
	w.say(worker.Event{Kind: worker.EventFrame, Frame: m})
}

// The tracks of most scripts.
var (
	picture = wire.Caps{Track: 0, Kind: media.Video, Codec: media.VP8, Width: 16, Height: 16}
	sound   = wire.Caps{Track: 1, Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
)

// Frames of VP8, 16x16, and of Opus, 20 ms.
var (
	key    = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 16, 0, 16, 0, 1, 2, 3}
	delta  = []byte{0x11, 0, 0, 1, 2, 3}
	packet = []byte{0xf8, 0xff, 0xfe}
)

// play sends pictures at 25 a second, the first of them a keyframe, and sound if there is any, for d.
func (w *fake) play(d time.Duration, withSound bool) {
	for at := time.Duration(0); at < d && w.ctx.Err() == nil; at += 40 * time.Millisecond {
		payload := delta
		if at == 0 {
			payload = key
		}
		w.frame(wire.Message{Track: 0, PTS: worker.Monotonic(), Payload: payload})
		if withSound {
			w.frame(wire.Message{Track: 1, PTS: worker.Monotonic(), Payload: packet})
		}
		w.wait(40 * time.Millisecond)
	}
}

// pictures plays one track for d, then crashes.
func pictures(d time.Duration) script {
	return func(w *fake) error {
		w.caps(picture)
		w.play(d, false)
		return errCrash
	}
}

// fails is a worker that ends before it has said anything.
func fails(err error) script { return func(*fake) error { return err } }

// running is a feed that runs.
type running struct {
	t      *testing.T
	stream *hub.Stream
	logged records
	cancel context.CancelFunc
	ended  chan struct{}
	err    error

	mu        sync.Mutex
	published [][]media.Track
	workers   []*fake
	starts    []time.Time
}

func perPixel(c wire.Caps) int { return c.Width * c.Height }

// records keeps what is logged, with its level.
type records struct {
	mu   sync.Mutex
	text []string
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithGroup(string) slog.Handler            { return r }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	text := record.Level.String() + " " + record.Message
	record.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, text)
	return nil
}

// count is how many records begin so.
func (r *records) count(beginning string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.text {
		if strings.HasPrefix(t, beginning) {
			n++
		}
	}
	return n
}

// run runs a feed whose workers follow the scripts, the last one again and again. It is called in a bubble.
func run(t *testing.T, tracks int, scripts ...script) *running {
	t.Helper()
	stream, err := hub.New(hub.Options{RingMaxAge: 10 * time.Second, RingMaxBytes: 1 << 20}).Create("stream")
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, stream: stream, ended: make(chan struct{})}
	f := New(Options{Tracks: tracks, Bitrate: perPixel, Log: slog.New(&r.logged), Start: func(context.Context) (Worker, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		w := start(scripts[min(len(r.workers), len(scripts)-1)])
		r.workers, r.starts = append(r.workers, w), append(r.starts, time.Now())
		return w, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	var p *hub.Publisher
	go func() {
		defer close(r.ended)
		r.err = f.Run(ctx, func(tracks []media.Track) (*hub.Publisher, error) {
			if p != nil {
				p.Close()
			}
			r.mu.Lock()
			r.published = append(r.published, tracks)
			r.mu.Unlock()
			var err error
			p, err = stream.Publish(media.MainRendition, tracks)
			return p, err
		})
		if p != nil {
			p.Close()
		}
	}()
	return r
}

// stop ends the feed and returns what it returned.
func (r *running) stop() error {
	r.cancel()
	<-r.ended
	return r.err
}

// after is d later, when all is quiet.
func (r *running) after(d time.Duration) *running {
	time.Sleep(d)
	synctest.Wait()
	return r
}

func (r *running) publications() [][]media.Track {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.published
}

func (r *running) last() *fake {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.workers[len(r.workers)-1]
}

func (r *running) began() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.starts
}

// over reports whether the feed has ended by itself.
func (r *running) over() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}
