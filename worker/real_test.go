package worker

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testworker"
	"sluice/media"
	"sluice/worker/wire"
)

// The real worker finds its elements when it is isolated, with the registry that another one has made (J180, J181).
func TestRealWorker(t *testing.T) {
	cache := readableDir(t)
	p := newPool(t, Options{Name: GStreamer, Path: testworker.GST(t), CacheDir: cache, Warm: 1, WarmElements: []string{"x264enc"}})
	run(t, p)
	waitFor(t, func() bool { return p.Stats().Warm == 1 })
	if g, err := p.Greeting(within(t)); err != nil || !strings.Contains(g.Library, "GStreamer") {
		t.Errorf("%+v, %v", g, err)
	}
	for name, c := range map[string]struct {
		pipeline string
		fault    wire.FaultCode // "": frames
	}{
		"frames":          {"videotestsrc num-buffers=1000 is-live=true ! x264enc tune=zerolatency name=encoder ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out", ""},
		"missing element": {"videotestsrc ! nosuchenc ! appsink name=out", wire.FaultMissingElement},
		"mistake":         {"videotestsrc ! ! appsink name=out", wire.FaultParse},
	} {
		t.Run(name, func(t *testing.T) {
			s := Spec{Isolate: true, Low: true, Start: patience, FirstOutput: patience}
			s.Job = wire.Job{Role: wire.RoleTranscode, Pipeline: c.pipeline, Outputs: []wire.Port{{Name: "out", Kind: media.Video, Codec: media.H264}}}
			process := start(t, p, s)
			if c.fault == "" {
				frames(t, process)
				return
			}
			if f := (*wire.Fault)(nil); !errors.As(last(t, process), &f) || f.Code != c.fault {
				t.Errorf("%v, want the fault %q", process.final, c.fault)
			}
		})
	}
	files, _ := filepath.Glob(filepath.Join(cache, "registry-*.bin"))
	if len(files) != 1 {
		t.Fatalf("registries %v, want one", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm()&0o004 == 0 {
		t.Errorf("%v, %v: not everybody may read the registry", info, err)
	}
}

// frames reads ready, caps and ten frames.
func frames(t *testing.T, p *Process) {
	t.Helper()
	kinds := map[EventKind]int{}
	for kinds[EventFrame] < 10 {
		e, err := p.Next(within(t))
		if err != nil {
			t.Fatalf("%v (%s)", err, stderrOf(err))
		}
		kinds[e.Kind]++
	}
	if kinds[EventReady] != 1 || kinds[EventCaps] == 0 {
		t.Errorf("events by kind: %v", kinds)
	}
}
