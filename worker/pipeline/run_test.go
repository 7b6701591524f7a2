package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker"
	"sluice/worker/wire"
)

// patience bounds every wait on a worker; only a failing test takes so long.
const patience = 60 * time.Second

// runner runs jobs by the real worker.
type runner struct {
	t    *testing.T
	pool *worker.Pool
	ctx  context.Context
}

// newRunner is skipped where the worker is not built. A runner is for a few jobs: a pool starts eight at once and then
// two a second.
func newRunner(t *testing.T, cache string) *runner {
	t.Helper()
	pool := worker.New(worker.Options{
		Name: "gateway-gst", Path: testworker.GST(t), CacheDir: cache, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &runner{t: t, pool: pool, ctx: ctx}
}

// with is the same runner for a subtest.
func (r *runner) with(t *testing.T) *runner { return &runner{t: t, pool: r.pool, ctx: r.ctx} }

// result is what came out of a job.
type result struct {
	caps   wire.Caps
	frames []wire.Message
	held   int // frames that were inside when nothing moved any more, before the end of stream
}

// still is after what time nothing moves any more inside a pipeline, on a machine that may stand still itself.
const still = 3 * time.Second

// run feeds frames to a job, one after the other has come out, and returns all that came.
func (r *runner) run(job wire.Job, frames []wire.Message) result {
	r.t.Helper()
	p, err := r.pool.Start(r.ctx, worker.Spec{Job: job, Label: r.t.Name(), Start: patience})
	if err != nil {
		r.t.Fatal(err)
	}
	defer p.Close()
	var out result
	r.await(p, &out, worker.EventReady, patience)
	held := 0 // frames that are not waited for any more
	for i := range frames {
		m := frames[i]
		m.Track = 0
		if !p.Write(&m) {
			r.t.Fatalf("frame %d was dropped", i)
		}
		for len(out.frames)+held <= i {
			if !r.await(p, &out, worker.EventFrame, still) {
				held++
			}
		}
	}
	for held > 0 && len(out.frames) < len(frames) && r.await(p, &out, worker.EventFrame, still) {
	}
	out.held = len(frames) - len(out.frames)
	p.EndOfStream()
	r.await(p, &out, worker.EventEOS, patience)
	return out
}

// await takes events until one of a kind; false if it does not come.
func (r *runner) await(p *worker.Process, out *result, kind worker.EventKind, limit time.Duration) bool {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	for {
		ev, err := p.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return false
		}
		if err != nil {
			r.t.Fatalf("the worker failed: %v", err)
		}
		switch ev.Kind {
		case worker.EventCaps:
			out.caps = ev.Caps
		case worker.EventFrame:
			out.frames = append(out.frames, ev.Frame)
		}
		if ev.Kind == kind {
			return true
		}
	}
}

// record makes coded frames of a text that ends where they are coded.
func (r *runner) record(text string, kind media.Kind, codec media.Codec) result {
	r.t.Helper()
	job := wire.Job{
		Role: wire.RoleTranscode, Pipeline: text + " ! appsink name=out sync=false",
		Outputs: []wire.Port{{Name: "out", Kind: kind, Codec: codec}},
	}
	p, err := r.pool.Start(r.ctx, worker.Spec{Job: job, Label: "record", Start: patience})
	if err != nil {
		r.t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	var out result
	for {
		ev, err := p.Next(ctx)
		if fault := (*wire.Fault)(nil); errors.As(err, &fault) && fault.Code == wire.FaultEOS && len(out.frames) > 0 {
			return out
		}
		if err != nil {
			r.t.Fatalf("record %s: %v", text, err)
		}
		switch ev.Kind {
		case worker.EventCaps:
			out.caps = ev.Caps
		case worker.EventFrame:
			out.frames = append(out.frames, ev.Frame)
		}
	}
}

// probed is what ffprobe says of a picture.
type probed struct {
	frames, width, height int
	profile, pixels       string
	reordered             bool
}

// ffprobe decodes all frames of a picture.
func ffprobe(t *testing.T, codec media.Codec, out result) probed {
	t.Helper()
	testworker.Tool(t, "ffprobe")
	name := filepath.Join(t.TempDir(), "out."+string(codec))
	data := elementary(codec, out)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries",
		"stream=nb_read_frames,width,height,profile,pix_fmt,has_b_frames", "-of", "default=noprint_wrappers=1", name)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ffprobe: %v: %s", err, said)
	}
	var p probed
	for line := range strings.Lines(string(said)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "nb_read_frames":
			p.frames = n
		case "width":
			p.width = n
		case "height":
			p.height = n
		case "profile":
			p.profile = value
		case "pix_fmt":
			p.pixels = value
		case "has_b_frames":
			p.reordered = n > 0
		default:
			if !ok {
				t.Errorf("a decoder complains: %s", line)
			}
		}
	}
	return p
}

// elementary is a file that ffprobe can read.
func elementary(codec media.Codec, out result) []byte {
	var data []byte
	if codec == media.VP8 {
		data = ivf(out)
	}
	for i, f := range out.frames {
		if codec == media.VP8 {
			data = append(data, ivfFrame(len(f.Payload), i)...)
		}
		data = append(data, f.Payload...)
	}
	return data
}

func ivf(out result) []byte {
	h := append([]byte("DKIF\x00\x00\x20\x00VP80"), le16(out.caps.Width)...)
	h = append(h, le16(out.caps.Height)...)
	h = append(h, le32(30)...)
	h = append(h, le32(1)...)
	h = append(h, le32(len(out.frames))...)
	return append(h, 0, 0, 0, 0)
}

func ivfFrame(size, i int) []byte { return append(append(le32(size), le32(i)...), 0, 0, 0, 0) }

func le16(n int) []byte { return []byte{byte(n), byte(n >> 8)} }
func le32(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }

// pattern is n pictures of a test source, as raw caps.
func pattern(n, width, height int, format string) string {
	return fmt.Sprintf("videotestsrc num-buffers=%d pattern=ball ! video/x-raw,width=%d,height=%d,framerate=30/1 ! videoconvert ! "+
		"video/x-raw,format=%s", n, width, height, format)
}

// burst feeds all frames at once, for jobs that do not give one for one.
func (r *runner) burst(job wire.Job, frames []wire.Message) result {
	r.t.Helper()
	p, err := r.pool.Start(r.ctx, worker.Spec{Job: job, Label: r.t.Name(), Start: patience})
	if err != nil {
		r.t.Fatal(err)
	}
	defer p.Close()
	var out result
	r.await(p, &out, worker.EventReady, patience)
	for i := range frames {
		m := frames[i]
		m.Track = 0
		if !p.Write(&m) {
			r.t.Fatalf("frame %d was dropped", i)
		}
	}
	p.EndOfStream()
	if !r.await(p, &out, worker.EventEOS, patience) {
		r.t.Fatal("the worker does not end")
	}
	return out
}

// probe runs a job of RoleProbe. A machine that stands still makes an encoder too slow: that is tried again.
func (r *runner) probe(job wire.Job) (found wire.ProbeResult) {
	r.t.Helper()
	result, err := r.probeOnce(job)
	for tries := 1; err != nil && tries < 5; tries++ {
		r.t.Log(err)
		result, err = r.probeOnce(job)
	}
	if err == nil {
		err = json.Unmarshal(result, &found)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return found
}

func (r *runner) probeOnce(job wire.Job) (json.RawMessage, error) {
	p, err := r.pool.Start(r.ctx, worker.Spec{Job: job, Label: r.t.Name(), Start: patience})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	for {
		ev, err := p.Next(r.ctx)
		if err != nil || ev.Kind == worker.EventResult {
			return ev.Result, err
		}
	}
}
