package transcode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/media"
	"sluice/worker"
	"sluice/worker/pipeline"
	"sluice/worker/wire"
)

// machine is Workers on a machine that has some encoders. What an element is not told of is not installed.
type machine struct {
	behave map[string]behaviour
	mute   bool // faults do not tell which element it was
	starts int
	err    error // of Start
}

// behaviour is what an encoder does in a trial.
type behaviour struct {
	result wire.ProbeResult
	err    error
	hangs  bool
}

func (m *machine) Greeting(context.Context) (wire.Greeting, error) {
	return wire.Greeting{Library: "GStreamer 1.22.0"}, m.err
}

func (m *machine) Start(_ context.Context, s worker.Spec) (process, error) {
	if m.starts++; m.err != nil {
		return nil, m.err
	}
	exists := func(e string) bool { _, there := m.behave[e]; return there || e == "h264parse" || e == "capsfilter" }
	text, missing := s.Job.Resolve(exists)
	if missing != "" {
		return &trialProcess{err: &wire.Fault{Code: wire.FaultMissingElement, Element: missing}}, nil
	}
	for element, b := range m.behave {
		if strings.Contains(text, element+" name="+element+" ") {
			return m.process(element, b), nil
		}
	}
	return nil, fmt.Errorf("no encoder in %q", text)
}

func (m *machine) process(element string, b behaviour) *trialProcess {
	p := &trialProcess{result: b.result, err: b.err, hangs: b.hangs}
	p.result.Element = element
	if fault := (*wire.Fault)(nil); errors.As(b.err, &fault) && !m.mute {
		named := *fault
		named.Element = element
		p.err = &named
	}
	return p
}

// trialProcess answers with a result, an error, or not at all.
type trialProcess struct {
	process
	result wire.ProbeResult
	err    error
	hangs  bool
	closed bool
}

func (p *trialProcess) Next(ctx context.Context) (worker.Event, error) {
	if p.hangs {
		<-ctx.Done()
		return worker.Event{}, context.Cause(ctx)
	}
	if p.err != nil {
		return worker.Event{}, p.err
	}
	b, err := json.Marshal(p.result)
	return worker.Event{Kind: worker.EventResult, Result: b}, err
}

func (p *trialProcess) Close() { p.closed = true }

var (
	good   = behaviour{result: wire.ProbeResult{Frames: pipeline.ProbeFrames, Milliseconds: 2, Profile: "42c01f", ForceKey: true}}
	broken = behaviour{err: &wire.Fault{Code: wire.FaultElement, Message: "no such device"}}
)

// but is good with something changed.
func but(change func(*wire.ProbeResult)) behaviour {
	b := good
	change(&b.result)
	return b
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestChooser(t *testing.T) {
	for name, c := range map[string]struct {
		machine machine
		setting string
		codec   media.Codec
		want    string // element
		starts  int
		err     string
	}{
		"software only":                       {machine{behave: map[string]behaviour{"x264enc": good, "openh264enc": good}}, "", media.H264, "x264enc", 1, ""},
		"hardware first":                      {machine{behave: map[string]behaviour{"vah264enc": good, "x264enc": good}}, "auto", media.H264, "vah264enc", 1, ""},
		"no libav, no x264":                   {machine{behave: map[string]behaviour{"openh264enc": good}}, "", media.H264, "openh264enc", 1, ""},
		"hardware that fails":                 {machine{behave: map[string]behaviour{"v4l2h264enc": broken, "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"hardware that fails without a name":  {machine{mute: true, behave: map[string]behaviour{"nvh264enc": broken, "x264enc": good}}, "", media.H264, "x264enc", 3, ""},
		"hardware that hangs":                 {machine{behave: map[string]behaviour{"nvh264enc": {hangs: true}, "vah264enc": good}}, "", media.H264, "vah264enc", 3, ""},
		"hardware that makes B-frames":        {machine{behave: map[string]behaviour{"qsvh264enc": but(func(r *wire.ProbeResult) { r.BFrames = true }), "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"hardware that makes no baseline":     {machine{behave: map[string]behaviour{"vaapih264enc": but(func(r *wire.ProbeResult) { r.Profile = "64001f" }), "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"hardware that gives no keyframe":     {machine{behave: map[string]behaviour{"v4l2h264enc": but(func(r *wire.ProbeResult) { r.ForceKey = false }), "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"hardware that loses frames":          {machine{behave: map[string]behaviour{"v4l2h264enc": but(func(r *wire.ProbeResult) { r.Frames = 12 }), "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"software under load":                 {machine{behave: map[string]behaviour{"x264enc": but(func(r *wire.ProbeResult) { r.Milliseconds = 50 })}}, "", media.H264, "x264enc", 1, ""},
		"hardware that is slow":               {machine{behave: map[string]behaviour{"v4l2h264enc": but(func(r *wire.ProbeResult) { r.Milliseconds = 50 }), "x264enc": good}}, "", media.H264, "x264enc", 2, ""},
		"a crash":                             {machine{behave: map[string]behaviour{"mpph264enc": {err: &worker.ExitError{Worker: "gateway-gst", Status: "was killed by SIGSEGV"}}, "x264enc": good}}, "", media.H264, "x264enc", 9, ""},
		"named":                               {machine{behave: map[string]behaviour{"x264enc": good, "openh264enc": good}}, "openh264enc", media.H264, "openh264enc", 1, ""},
		"named, and not in the table":         {machine{behave: map[string]behaviour{"avenc_h264_omx": good}}, "avenc_h264_omx", media.H264, "avenc_h264_omx", 1, ""},
		"named, and not installed":            {machine{behave: map[string]behaviour{"openh264enc": good}}, "x264enc", media.H264, "", 1, `transcode.encoder names "x264enc", which can't be used: element "x264enc" is not installed: apt install gstreamer1.0-plugins-ugly`},
		"named, and broken":                   {machine{behave: map[string]behaviour{"v4l2h264enc": broken, "x264enc": good}}, "v4l2h264enc", media.H264, "", 1, `transcode.encoder names "v4l2h264enc", which can't be used: the pipeline failed: v4l2h264enc: no such device`},
		"named for another codec":             {machine{behave: map[string]behaviour{"x264enc": good, "vp8enc": good}}, "vp8enc", media.H264, "x264enc", 1, ""},
		"named for this codec":                {machine{behave: map[string]behaviour{"vp8enc": good}}, "vp8enc", media.VP8, "vp8enc", 1, ""},
		"VP8 beside a name for H264":          {machine{behave: map[string]behaviour{"vp8enc": good}}, "x264enc", media.VP8, "vp8enc", 1, ""},
		"nothing installed":                   {machine{}, "", media.H264, "", 1, `no encoder of H.264 works here: element "x264enc" is not installed: apt install gstreamer1.0-plugins-ugly; element "openh264enc" is not installed: apt install gstreamer1.0-plugins-bad`},
		"sound is not tried":                  {machine{}, "x264enc", media.Opus, "opusenc", 0, ""},
		"a codec that nobody encodes":         {machine{}, "", media.H265, "", 0, "nothing can be encoded in H.265"},
		"the worker is not there at all":      {machine{err: &worker.NotInstalledError{Name: "gateway-gst"}}, "", media.H264, "", 0, "gateway-gst is not installed"},
		"hardware and software, each in turn": {machine{behave: map[string]behaviour{"nvh264enc": broken, "vah264enc": broken, "x264enc": broken, "openh264enc": good}}, "", media.H264, "openh264enc", 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chooser := NewChooser(&c.machine, ChooserOptions{Encoder: c.setting, Log: quiet()})
				e, err := chooser.Encoder(t.Context(), c.codec)
				if fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
					t.Errorf("error %v, want %s", err, c.err)
				}
				if e.Element != c.want || c.machine.starts != c.starts {
					t.Errorf("%q after %d trials, want %q after %d", e.Element, c.machine.starts, c.want, c.starts)
				}
				before := c.machine.starts
				again, _ := chooser.Encoder(t.Context(), c.codec)
				if again != e || c.machine.starts != before {
					t.Errorf("asked again: %q after %d more trials", again.Element, c.machine.starts-before)
				}
			})
		})
	}
}

// An encoder that fails at work gives way for ten minutes, then it is tried out again.
func TestChooserFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{behave: map[string]behaviour{"vah264enc": good, "x264enc": good}}
		c := NewChooser(m, ChooserOptions{Log: quiet()})
		choose := func(want string) pipeline.Encoder {
			t.Helper()
			e, err := c.Encoder(t.Context(), media.H264)
			if err != nil || e.Element != want {
				t.Fatalf("got %q, %v; want %q", e.Element, err, want)
			}
			return e
		}
		c.Failed(choose("vah264enc"))
		choose("x264enc")
		time.Sleep(9 * time.Minute)
		choose("x264enc")
		time.Sleep(2 * time.Minute)
		choose("vah264enc")
		if m.starts != 3 {
			t.Errorf("%d trials, want 3", m.starts)
		}
	})
}

func TestChooserFailedByName(t *testing.T) {
	m := &machine{behave: map[string]behaviour{"v4l2h264enc": good, "x264enc": good}}
	c := NewChooser(m, ChooserOptions{Encoder: "v4l2h264enc", Log: quiet()})
	e, err := c.Encoder(t.Context(), media.H264)
	if err != nil {
		t.Fatal(err)
	}
	c.Failed(e)
	if again, err := c.Encoder(t.Context(), media.H264); err != nil || again != e {
		t.Errorf("got %q, %v though the configuration names another", again.Element, err)
	}
}

// When nothing works, that is tried again soon, and works once it is mended.
func TestChooserHopeless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{behave: map[string]behaviour{"x264enc": broken}}
		c := NewChooser(m, ChooserOptions{Log: quiet()})
		none := (*NoEncoderError)(nil)
		if _, err := c.Encoder(t.Context(), media.H264); !errors.As(err, &none) {
			t.Fatalf("got %v, want a *NoEncoderError", err)
		}
		m.behave["x264enc"] = good
		time.Sleep(31 * time.Second)
		if e, err := c.Encoder(t.Context(), media.H264); err != nil || e.Element != "x264enc" {
			t.Errorf("got %q, %v after half a minute", e.Element, err)
		}
	})
}

// Whoever comes while encoders are tried out waits for the same answer; nobody tries twice.
func TestOneTrialForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{behave: map[string]behaviour{"nvh264enc": {hangs: true}, "x264enc": good}}
		c := NewChooser(m, ChooserOptions{Log: quiet()})
		found := make(chan string, 10)
		for range cap(found) {
			go func() {
				e, err := c.Encoder(t.Context(), media.H264)
				found <- fmt.Sprint(e.Element, err)
			}()
		}
		synctest.Wait() // one of them has the turn
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Encoder(impatient, media.H264); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who does not wait got %v", err)
		}
		for range cap(found) {
			if s := <-found; s != "x264enc<nil>" {
				t.Errorf("got %s", s)
			}
		}
		if m.starts != 3 { // all, then one, for nobody tells which one hung, and the rest
			t.Errorf("%d trials, want 3", m.starts)
		}
	})
}

// Run looks before anybody asks, and ends with its context.
func TestChooserRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &machine{behave: map[string]behaviour{"x264enc": good}}
		c := NewChooser(m, ChooserOptions{Log: quiet()})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		if m.starts != 1 {
			t.Errorf("%d trials before anybody asked, want 1", m.starts)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestChoiceIsRemembered(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "cache")
	choose := func(m *machine, setting string) string {
		t.Helper()
		c := NewChooser(m, ChooserOptions{Encoder: setting, CacheDir: folder, Log: quiet()})
		e, err := c.Encoder(t.Context(), media.H264)
		if err != nil {
			t.Fatal(err)
		}
		return e.Element
	}
	first := &machine{behave: map[string]behaviour{"x264enc": good, "openh264enc": good}}
	second := &machine{behave: first.behave}
	if got := choose(first, ""); got != "x264enc" || first.starts != 1 {
		t.Fatalf("got %q after %d trials", got, first.starts)
	}
	if got := choose(second, ""); got != "x264enc" || second.starts != 0 {
		t.Errorf("the second time: %q after %d trials, want no trial", got, second.starts)
	}
	if got := choose(second, "openh264enc"); got != "openh264enc" || second.starts != 1 {
		t.Errorf("with a name: %q after %d trials, want one", got, second.starts)
	}
	if got := choose(second, ""); got != "x264enc" {
		t.Errorf("without the name: %q", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "encoders.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := choose(second, ""); got != "x264enc" {
		t.Errorf("with a broken file: %q", got)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

// What stands in for an encoder that fails is not remembered: the next start gives it another chance.
func TestStandInIsNotRemembered(t *testing.T) {
	folder := t.TempDir()
	m := &machine{behave: map[string]behaviour{"vah264enc": good, "x264enc": good}}
	c := NewChooser(m, ChooserOptions{CacheDir: folder, Log: quiet()})
	e, err := c.Encoder(t.Context(), media.H264)
	if err != nil {
		t.Fatal(err)
	}
	c.Failed(e)
	if e, err = c.Encoder(t.Context(), media.H264); err != nil || e.Element != "x264enc" {
		t.Fatalf("got %q, %v", e.Element, err)
	}
	next := NewChooser(m, ChooserOptions{CacheDir: folder, Log: quiet()})
	if e, err = next.Encoder(t.Context(), media.H264); err != nil || e.Element != "vah264enc" {
		t.Errorf("after the next start: %q, %v", e.Element, err)
	}
}

// A memory of the wrong machine is of no use.
func TestFingerprint(t *testing.T) {
	base := fingerprint("GStreamer 1.22.0", "")
	if base != fingerprint("GStreamer 1.22.0", "") {
		t.Error("the same machine has two fingerprints")
	}
	if slices.Contains([]string{fingerprint("GStreamer 1.24.0", ""), fingerprint("GStreamer 1.22.0", "x264enc")}, base) {
		t.Error("different machines have one fingerprint")
	}
}
