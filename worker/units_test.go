package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker/wire"
)

func newQueue(tracks int) *queue {
	q := &queue{wake: make(chan struct{}, 1)}
	q.reset(tracks)
	q.openFrames()
	return q
}

// written is what take gives: the type, or of a frame the PTS, with "k" for a keyframe and "!" for a discontinuity.
func written(q *queue) []string {
	var all []string
	for {
		it, ok := q.take()
		if !ok {
			return all
		}
		all = append(all, describe(&it.message))
	}
}

func describe(m *wire.Message) string {
	if m.Type != wire.TypeFrame {
		return m.Type.String()
	}
	text := string('a'+rune(m.Track)) + time.Duration(m.PTS).String()
	if m.Flags&wire.Keyframe != 0 {
		text += " k"
	}
	if m.Flags&wire.Discontinuity != 0 {
		text += " !"
	}
	return text
}

// step puts n frames of a track in, the first of them a keyframe if key, at a time.
type step struct {
	n      int
	track  uint8
	key    bool
	flags  wire.Flags
	at     time.Duration
	denied int // how many of them are dropped
}

func TestQueue(t *testing.T) {
	for name, c := range map[string]struct {
		steps   []step
		first   string // what comes out first
		out     int
		dropped uint64
	}{
		"64 frames are taken":               {[]step{{n: 64, key: true}}, "a0s k", 64, 0},
		"one more is dropped":               {[]step{{n: 65, key: true, denied: 1}}, "a0s k", 64, 1},
		"those after it too":                {[]step{{n: 80, key: true, denied: 16}}, "a0s k", 64, 16},
		"a keyframe takes their place":      {[]step{{n: 70, key: true, denied: 6}, {n: 2, key: true}}, "a0s k !", 2, 70},
		"tracks do not hinder each other":   {[]step{{n: 70, key: true, denied: 6}, {n: 60, track: 1}}, "a0s k", 124, 6},
		"a keyframe leaves the other track": {[]step{{n: 3, track: 1}, {n: 70, key: true, denied: 6}, {n: 1, key: true}}, "b0s", 4, 70},
		"one waits for 1 s":                 {[]step{{n: 2, key: true}, {n: 1, at: time.Second}}, "a0s k", 3, 0},
		"and for longer":                    {[]step{{n: 2, key: true}, {n: 1, at: time.Second + 1, denied: 1}}, "a0s k", 2, 1},
		"a keyframe after longer":           {[]step{{n: 2, key: true}, {n: 1, key: true, at: time.Second + 1}}, "a1.000000001s k !", 1, 2},
		"prerolled frames have no age":      {[]step{{n: 200, key: true, flags: wire.Preroll}, {n: 2, at: 3 * time.Second}}, "a0s k", 202, 0},
		"but a bound":                       {[]step{{n: 1030, key: true, flags: wire.Preroll, denied: 6}}, "a0s k", 1024, 6},
		"a track without input":             {[]step{{n: 1, track: 2, key: true, denied: 1}}, "", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			q, begin := newQueue(2), time.Now()
			for _, s := range c.steps {
				denied := 0
				for i := range s.n {
					m := wire.Message{Type: wire.TypeFrame, Track: s.track, Flags: s.flags, PTS: int64(s.at)}
					if s.key && i == 0 {
						m.Flags |= wire.Keyframe
					}
					if !q.put(&m, nil, begin.Add(s.at)) {
						denied++
					}
				}
				if denied != s.denied {
					t.Errorf("%d of %+v are dropped", denied, s)
				}
			}
			out := written(q)
			if len(out) != c.out || q.drops() != c.dropped || c.out > 0 && out[0] != c.first {
				t.Errorf("%d come out, %d dropped: %.80v; want %d, %d and %q first", len(out), q.drops(), out, c.out, c.dropped, c.first)
			}
		})
	}
}

func TestQueueGoesOnAfterAnOverflow(t *testing.T) {
	q := newQueue(1)
	for round := range 3 {
		for i := range 100 {
			m := wire.Message{Type: wire.TypeFrame, PTS: int64(i)}
			if i == 0 {
				m.Flags = wire.Keyframe
			}
			q.put(&m, nil, time.Now())
		}
		out := written(q)
		if want := round > 0; len(out) != maxFrames || strings.HasSuffix(out[0], "!") != want {
			t.Errorf("round %d: %d frames, first %q", round, len(out), out[0])
		}
	}
	if got := q.drops(); got != 3*(100-maxFrames) {
		t.Errorf("%d dropped", got)
	}
}

func TestOrderOfMessages(t *testing.T) {
	q := newQueue(1)
	q.put(&wire.Message{Type: wire.TypeFrame}, nil, time.Now())
	q.end(time.Now())
	q.say(wire.Message{Type: wire.TypePing})
	q.say(wire.Message{Type: wire.TypeBitrate, Ext: 1})
	q.say(wire.Message{Type: wire.TypeBitrate, Ext: 2})
	q.say(wire.Message{Type: wire.TypeBitrate, Track: 1, Ext: 3})
	q.say(wire.Message{Type: wire.TypePing})
	if got, want := written(q), []string{"ping", "bitrate", "bitrate", "a0s", "eos"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	q.say(wire.Message{Type: wire.TypeBitrate, Ext: 1})
	q.say(wire.Message{Type: wire.TypeBitrate, Ext: 2})
	if it, _ := q.take(); it.message.Ext != 2 {
		t.Errorf("bitrate %d, want the newest", it.message.Ext)
	}
}

func TestFramesWaitForReady(t *testing.T) {
	q := newQueue(1)
	q.reset(1)
	q.put(&wire.Message{Type: wire.TypeFrame}, nil, time.Now())
	q.say(wire.Message{Type: wire.TypeStop})
	if got := written(q); !slices.Equal(got, []string{"stop"}) {
		t.Errorf("%q before Ready", got)
	}
	q.openFrames()
	if got := written(q); !slices.Equal(got, []string{"a0s"}) {
		t.Errorf("%q after Ready", got)
	}
}

func TestFrameThatCannotBeWritten(t *testing.T) {
	q := newQueue(1)
	q.lose(0)
	if q.put(&wire.Message{Type: wire.TypeFrame}, nil, time.Now()) {
		t.Error("a frame that needs the lost one was taken")
	}
	q.put(&wire.Message{Type: wire.TypeFrame, Flags: wire.Keyframe}, nil, time.Now())
	if got := written(q); !slices.Equal(got, []string{"a0s k !"}) || q.drops() != 2 {
		t.Errorf("%q, %d dropped", got, q.drops())
	}
}

func TestWriteMakesNoGarbage(t *testing.T) {
	q, m, parts, now := newQueue(1), &wire.Message{Type: wire.TypeFrame}, [][]byte{{1}, {2}}, time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		for range 3 {
			q.put(m, parts, now)
		}
		for range 3 {
			q.take()
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWatchdog(t *testing.T) {
	type act struct {
		at time.Duration
		do func(w *watchdog, now time.Time)
	}
	ready := func(w *watchdog, now time.Time) { w.isReady(now) }
	in, out, pong := (*watchdog).input, (*watchdog).output, (*watchdog).answered
	offer := func(w *watchdog, _ time.Time) { w.offer(true) }
	block := func(w *watchdog, now time.Time) { w.block(true, now) }
	unblock := func(w *watchdog, now time.Time) { w.block(false, now) }
	look := func(w *watchdog, now time.Time) { _ = w.check(now) }
	const s = time.Second
	filter := Spec{Start: 5 * s, FirstOutput: 8 * s, Silence: 2 * s, Heartbeat: 3 * s, Job: wire.Job{Inputs: make([]wire.Port, 1)}}
	deaf := filter
	deaf.Heartbeat = time.Hour
	source := deaf
	source.Job.Inputs = nil
	none := Spec{Heartbeat: time.Hour}
	for name, c := range map[string]struct {
		spec Spec
		acts []act
		at   time.Duration
		want string
	}{
		"starting":                      {filter, nil, 5*s - 1, ""},
		"not ready":                     {filter, nil, 5 * s, "was not ready"},
		"ready":                         {deaf, []act{{s, ready}}, time.Minute, ""},
		"no pong":                       {filter, []act{{s, ready}}, 4 * s, "answered no ping"},
		"pong":                          {filter, []act{{s, ready}, {3 * s, pong}}, 6*s - 1, ""},
		"input without output":          {deaf, []act{{s, ready}, {2 * s, in}}, 10 * s, "gave no output"},
		"output just before":            {deaf, []act{{s, ready}, {2 * s, in}, {9 * s, out}}, 10 * s, ""},
		"input that paused":             {deaf, []act{{s, ready}, {2 * s, in}, {2 * s, out}, {3 * s, in}}, time.Minute, ""},
		"input that went on":            {deaf, []act{{s, ready}, {2 * s, in}, {2 * s, out}, {3 * s, in}, {5 * s, in}}, 5 * s, "fell silent"},
		"input that is not taken":       {deaf, []act{{s, ready}, {2 * s, in}, {2 * s, out}, {3 * s, in}, {4 * s, offer}}, 5 * s, "fell silent"},
		"output read late, then none":   {deaf, []act{{s, ready}, {2 * s, in}, {3 * s, offer}, {4 * s, out}}, 6 * s, "fell silent"},
		"output behind a full pipe":     {deaf, []act{{s, ready}, {2 * s, in}, {3 * s, offer}, {4 * s, out}, {5 * s, out}}, 6 * s, ""},
		"input that is taken late":      {deaf, []act{{s, ready}, {2 * s, in}, {2 * s, out}, {3 * s, offer}, {30 * s, in}}, 31 * s, ""},
		"output behind by one":          {deaf, []act{{s, ready}, {2 * s, in}, {2 * s, out}, {3 * s, in}, {4 * s, out}, {5 * s, in}}, 6 * s, ""},
		"source without output":         {source, []act{{s, ready}}, 9 * s, "gave no output"},
		"source that paused":            {source, []act{{s, ready}, {2 * s, out}}, 4 * s, "fell silent"},
		"no deadlines":                  {none, []act{{s, ready}, {2 * s, in}, {20 * s, in}}, time.Minute, ""},
		"it can't be heard":             {filter, []act{{s, ready}, {2 * s, block}}, time.Minute, ""},
		"it is heard again":             {filter, []act{{s, ready}, {2 * s, block}, {20 * s, unblock}}, 23*s - 1, ""},
		"heard again, and still silent": {filter, []act{{s, ready}, {2 * s, block}, {20 * s, unblock}}, 23 * s, "answered no ping"},
		"we slept":                      {filter, []act{{s, ready}, {s, look}}, 20 * s, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, begin := &watchdog{worker: "w"}, time.Now()
			w.begin(c.spec, begin)
			for _, a := range c.acts {
				a.do(w, begin.Add(a.at))
			}
			err := w.check(begin.Add(c.at))
			hung := &HungError{}
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &hung) || hung.What != c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	now := time.Now()
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		ran  []time.Duration
		gap  time.Duration // between an end and the next start, beyond the delay
		want []time.Duration
	}{
		"fast failures":  {make([]time.Duration, 8), 0, []time.Duration{0, 500 * ms, 1000 * ms, 2000 * ms, 5000 * ms, 10_000 * ms, 10_000 * ms, 10_000 * ms}},
		"a healthy one":  {[]time.Duration{0, 0, time.Minute, 0}, 0, []time.Duration{0, 500 * ms, 0, 500 * ms}},
		"not so healthy": {[]time.Duration{0, 59 * time.Second}, 0, []time.Duration{0, 500 * ms}},
		"long ago":       {[]time.Duration{0, 0}, 70 * time.Second, []time.Duration{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Backoff
			at := now
			for i, ran := range c.ran {
				at = at.Add(ran + c.gap)
				got := b.Next(at, ran)
				if low, high := c.want[i]*8/10, c.want[i]*12/10; got < low || got > high {
					t.Errorf("delay %d: %v, want about %v", i, got, c.want[i])
				}
				at = at.Add(got)
			}
		})
	}
}

func TestStartRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, begin := newLimiter(startRate, startBurst), time.Now()
		for i := range 12 {
			if err := l.wait(context.Background()); err != nil {
				t.Fatal(err)
			}
			want := time.Duration(max(i+1-startBurst, 0)) * time.Second / startRate
			if got := time.Since(begin); got != want {
				t.Errorf("start %d after %v, want %v", i, got, want)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if err := l.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v when the context ends first", err)
		}
		time.Sleep(time.Minute)
		for i := range startBurst + 1 {
			if got, want := l.try(time.Now()), i < startBurst; got != want {
				t.Errorf("try %d after a pause: %v", i, got)
			}
		}
	})
}

// Sources that fail all the time don't keep viewers waiting for an encoder.
func TestStartsOfViewersAreTheirOwn(t *testing.T) {
	for _, c := range []struct {
		role, other wire.Role
		want        time.Duration // that other waits once role has used up its burst
	}{
		{wire.RoleSource, wire.RoleTranscode, 0},
		{wire.RoleSource, wire.RoleProbe, 0},
		{wire.RoleSource, "", 0},
		{wire.RoleDevice, wire.RoleTranscode, 0},
		{wire.RoleSink, wire.RoleTranscode, 0},
		{wire.RoleTranscode, wire.RoleSource, 0},
		{wire.RoleSource, wire.RoleSink, time.Second / startRate},
		{wire.RoleTranscode, wire.RoleProbe, time.Second / startRate},
	} {
		p, now := New(Options{}), time.Now()
		for range startBurst {
			p.starts.of(&Spec{Job: wire.Job{Role: c.role}}).take(now)
		}
		if got := p.starts.of(&Spec{Job: wire.Job{Role: c.other}}).take(now); got != c.want {
			t.Errorf("after a burst of %q, %q waits for %v, want %v", c.role, c.other, got, c.want)
		}
	}
}

// A page full of snapshots keeps no viewer waiting.
func TestStartsOfSnapshotsAreTheirOwn(t *testing.T) {
	p, now := New(Options{}), time.Now()
	viewer, snapshot := Spec{Job: wire.Job{Role: wire.RoleTranscode}}, Spec{Job: wire.Job{Role: wire.RoleTranscode}, Low: true}
	for range startBurst {
		p.starts.of(&snapshot).take(now)
	}
	if got := p.starts.of(&snapshot).take(now); got != time.Second/startRate {
		t.Errorf("one more snapshot waits for %v", got)
	}
	if got := p.starts.of(&viewer).take(now); got != 0 {
		t.Errorf("a viewer waits for %v", got)
	}
}

func TestClock(t *testing.T) {
	before := monotonic()
	now := Monotonic()
	if after := monotonic(); now < before-int64(time.Millisecond) || now > after+int64(time.Millisecond) {
		t.Errorf("Monotonic is %d, CLOCK_MONOTONIC between %d and %d", now, before, after)
	}
	if d := time.Since(At(now)); d < 0 || d > time.Second {
		t.Errorf("At is %v ago", d)
	}
	if d := At(now + 1000).Sub(At(now)); d != 1000 {
		t.Errorf("1 µs is %v", d)
	}
}

// What is cut ends before the word that it was cut in, for of half a URL a password can't be told.
func TestTextsOfWorkersAreBounded(t *testing.T) {
	const secret = "rtsp://me:hunter2@host/s"
	for cut := range len(secret) + 2 {
		text := strings.Repeat("x", maxText-cut-1) + " " + secret + " " + strings.Repeat("y", maxText)
		if got := printable(text); len(got) > maxText || strings.Contains(got, "hunt") {
			t.Errorf("cut %d bytes into the URL: %q", cut, got[maxText-len(secret)-1:])
		}
		var stderr tail
		fmt.Fprintf(&stderr, "panic: %s %s\n", strings.Repeat("x", maxCause-len("panic:  ")-cut), secret)
		if _, cause := stderr.text(); len(cause) > maxCause || strings.Contains(cause, "hunt") {
			t.Errorf("cut %d bytes into the URL of a cause: %q", cut, cause)
		}
	}
	if got := printable(strings.Repeat("x", maxText+1)); got != "" {
		t.Errorf("of one endless word %d bytes are left", len(got))
	}
}

func TestRedaction(t *testing.T) {
	for in, want := range map[string]string{
		"nothing here":                             "nothing here",
		"a\n\trtsp://u:p@h/s, b  c\n":              "a\n\trtsp://u:***@h/s, b  c\n",
		"can't open rtmp://h/live/abc for reading": "can't open rtmp://h/*** for reading",
		"GET /x?token=abc now":                     "GET /x?token=*** now",
		"rtspsrc: user-pw=secret is refused":       "rtspsrc: user-pw=*** is refused",
		"/go/pkg/mod/github.com/x/y@v1.4.0/z.go:1": "/go/pkg/mod/github.com/x/y@v1.4.0/z.go:1",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is printed as %q, want %q", in, got, want)
		}
	}
}

// J187
func TestEnviron(t *testing.T) {
	got := Environ([]string{"PATH=/bin", "TOKEN=secret", "GST_DEBUG=3", "GST_DEBUG_FILE=/etc/x", "LD_PRELOAD=x", "PATHS=x", "HOME", "TZ=Europe/Berlin"})
	if want := []string{"PATH=/bin", "GST_DEBUG=3", "HOME", "TZ=Europe/Berlin"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func BenchmarkWrite(b *testing.B) {
	q, m := newQueue(1), &wire.Message{Type: wire.TypeFrame}
	parts := wire.Join(media.H264, [][]byte{make([]byte, 10_000)})
	b.ReportAllocs()
	for b.Loop() {
		q.put(m, parts, time.Now())
		q.take()
	}
}

// A frame goes through a socketpair and back.
func BenchmarkRoundTrip(b *testing.B) {
	for name, size := range map[string]int{"size=1kB": 1000, "size=10kB": 10_000, "size=200kB": 200_000} {
		b.Run(name, func(b *testing.B) { roundTrips(b, size) })
	}
}

// pair is both ends of a connection, as gateway and worker have them.
func pair(b *testing.B) (ours, theirs net.Conn) {
	b.Helper()
	ours, f, err := socketpair()
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if theirs, err = net.FileConn(f); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ours.Close(); theirs.Close() })
	return ours, theirs
}

func roundTrips(b *testing.B, size int) {
	ours, theirs := pair(b)
	echoed := make(chan struct{})
	go func() {
		defer close(echoed)
		r, w := wire.NewReader(theirs), wire.NewWriter(theirs)
		for {
			m, err := r.Next()
			if err != nil || w.Write(&m) != nil {
				return
			}
		}
	}()
	r, w := wire.NewReader(ours), wire.NewWriter(ours)
	m := &wire.Message{Type: wire.TypeFrame}
	parts := wire.Join(media.H264, [][]byte{make([]byte, size)})
	b.SetBytes(int64(2 * size))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(m, parts...); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
	ours.Close()
	<-echoed
}
