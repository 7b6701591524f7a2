package transcode

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/camera"
	"sluice/internal/testmedia"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// puppets are workers that do at once what a test wants.
type puppets struct {
	key, delta [][]byte // of a picture in H264

	mu      sync.Mutex
	absent  error // what Err says
	fault   error // what Start says
	refused int   // starts that got it
	mute    bool  // those that start from now on let nothing out
	stuck   bool  // likewise
	all     []*puppet
	live    map[string]int // by label
	most    int            // of live that there ever were of one label
}

// puppet is a process that answers each frame at once: pictures with H264, sound with a packet of Opus.
type puppet struct {
	of   *puppets
	spec worker.Spec
	said chan worker.Event
	done chan struct{}

	mu      sync.Mutex
	got     []wire.Message
	bitrate int
	asked   int // keyframe requests
	key     bool
	past    int64 // newest PTS with Preroll
	mute    bool
	stuck   bool // what it gets waits in front of its pipeline
	dropped uint64
	err     error // why it has ended
	closed  bool
}

func newPuppets(t testing.TB) *puppets {
	clip, err := camera.Parse(testmedia.File(media.H264))
	if err != nil {
		t.Fatal(err)
	}
	u := clip.Tracks[0].Units
	return &puppets{key: u[0].Data, delta: u[1].Data, live: make(map[string]int)}
}

func (w *puppets) Run(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (w *puppets) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.absent
}

func (w *puppets) Start(_ context.Context, s worker.Spec) (process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault != nil {
		w.refused++
		return nil, w.fault
	}
	p := &puppet{of: w, spec: s, said: make(chan worker.Event, 1024), done: make(chan struct{}), key: true, past: -1, mute: w.mute, stuck: w.stuck}
	p.said <- worker.Event{Kind: worker.EventReady}
	w.all = append(w.all, p)
	w.live[s.Label]++
	w.most = max(w.most, w.live[s.Label])
	return p, nil
}

// refuse has all starts fail, until it is called with nil.
func (w *puppets) refuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = err
}

// silence has those that start from now on let nothing out.
func (w *puppets) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = true
}

// block has those that start from now on take nothing.
func (w *puppets) block(stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stuck = stuck
}

// missing has Err say so.
func (w *puppets) missing(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.absent = err
}

// started are the processes so far whose label contains text.
func (w *puppets) started(text string) []*puppet {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.all), func(p *puppet) bool { return !strings.Contains(p.spec.Label, text) })
}

// running are those of them that have not ended.
func (w *puppets) running(text string) []*puppet {
	return slices.DeleteFunc(w.started(text), func(p *puppet) bool {
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	})
}

func (p *puppet) Next(ctx context.Context) (worker.Event, error) {
	select {
	case e := <-p.said:
		return e, nil
	case <-p.done:
		p.mu.Lock()
		defer p.mu.Unlock()
		return worker.Event{}, p.err
	case <-ctx.Done():
		return worker.Event{}, context.Cause(ctx)
	}
}

func (p *puppet) Write(m *wire.Message, parts ...[]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	copied := *m
	copied.Payload = bytes.Join(parts, nil)
	p.got = append(p.got, copied)
	if m.Flags&wire.Preroll != 0 {
		p.past = max(p.past, m.PTS)
		return true
	}
	if p.spec.Job.Role == wire.RoleTranscode && !p.mute && m.PTS > p.past && len(p.spec.Job.Outputs) > 0 {
		p.say(m.PTS)
	}
	return true
}

// say answers a frame. It needs mu.
func (p *puppet) say(pts int64) {
	out := wire.Message{Type: wire.TypeFrame, PTS: pts}
	switch p.spec.Job.Outputs[0].Codec {
	case media.H264:
		data := p.of.delta
		if p.key {
			data = p.of.key
		}
		out.Payload = bytes.Join(wire.Join(media.H264, data), nil)
	case media.MJPEG:
		out.Payload = []byte("jpeg")
	default:
		out.Payload = []byte{0xfc, 0xff, 0xfe} // 20 ms, of 40 that came in
		p.said <- worker.Event{Kind: worker.EventFrame, Frame: out}
		out.PTS += int64(20 * time.Millisecond)
	}
	p.key = false
	p.said <- worker.Event{Kind: worker.EventFrame, Frame: out}
}

func (p *puppet) RequestKeyframe(uint8) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	p.key = true
}

func (p *puppet) SetBitrate(_ uint8, bps int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bitrate = bps
}

func (p *puppet) EndOfStream() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mute {
		p.said <- worker.Event{Kind: worker.EventEOS}
	}
}

func (p *puppet) Stats() worker.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := worker.Stats{Stats: wire.Stats{In: uint64(len(p.got)), Dropped: p.dropped}, PID: 1}
	if p.stuck {
		s.Queue = len(p.got)
	}
	return s
}

func (p *puppet) Close() { p.fail(worker.ErrClosed) }

// fail ends the process.
func (p *puppet) fail(err error) {
	p.mu.Lock()
	first := !p.closed
	if first {
		p.closed, p.err = true, err
	}
	p.mu.Unlock()
	if first {
		p.of.mu.Lock()
		p.of.live[p.spec.Label]--
		p.of.mu.Unlock()
		close(p.done)
	}
}

// frames are those that it was given, as letters: K and p, in lower case k and o those that are not to be encoded.
func (p *puppet) frames() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var text strings.Builder
	for _, m := range p.got {
		letters := "pKok"
		i := 0
		if m.Flags&wire.Keyframe != 0 {
			i = 1
		}
		if m.Flags&wire.Preroll != 0 {
			i += 2
		}
		text.WriteByte(letters[i])
	}
	return text.String()
}

// rates is what the pipeline is told of the pictures a second of its input, and of those that it leaves.
func (p *puppet) rates() string {
	in, out, _ := strings.Cut(p.spec.Job.Pipeline, "videorate")
	all := regexp.MustCompile("framerate=[0-9/]+")
	text := "in " + all.FindString(in)
	if left := all.FindString(out); left != "" {
		text += ", out " + left
	}
	return text
}

func (p *puppet) wishes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// oneEncoder is a chooser that always chooses the same.
type oneEncoder struct {
	mu     sync.Mutex
	chosen pipeline.Encoder
	failed int
}

func (c *oneEncoder) Run(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (c *oneEncoder) Encoder(_ context.Context, codec media.Codec) (pipeline.Encoder, error) {
	e := c.chosen
	e.Codec = codec
	return e, nil
}

func (c *oneEncoder) Failed(pipeline.Encoder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
}

func (c *oneEncoder) failures() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
