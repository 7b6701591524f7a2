package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/gateway"
	"sluice/ingest/rtsp"
	"sluice/internal/camera"
	"sluice/internal/testmedia"
	"sluice/media"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// serveClip is a camera that plays a file to those who know its password, until the test ends.
func serveClip(t *testing.T, name string, data []byte) *camera.Camera {
	t.Helper()
	clip, err := camera.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	c, err := camera.New(camera.Options{Clip: clip, Listen: "127.0.0.1:0", User: "admin", Password: "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { _ = c.Serve(ctx) })
	t.Cleanup(func() { cancel(); served.Wait() })
	return c
}

func probe(t *testing.T, o gateway.ProbeOptions) (string, error) {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Log, o.Version = &out, slog.New(slog.DiscardHandler), "test"
	err := gateway.Probe(t.Context(), o)
	return out.String(), err
}

// measured finds what differs from run to run.
var measured = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(` +[\d.]+ (k|M)bit/s`), "   N bit/s"},
	{regexp.MustCompile(`keyframe \d\.\d s after`), "keyframe N s after"},
	{regexp.MustCompile(`every [0-3]\.\d s.*`), "every 1 s"}, // by when they came, which a busy machine shifts
	{regexp.MustCompile(`\d+ packets`), "N packets"},
}

func blot(report string) string {
	for _, m := range measured {
		report = m.find.ReplaceAllString(report, m.put)
	}
	return report
}

// F6, F30, F37, F40: what an operator reads of cameras that browsers can take as they are, in part, and not at all.
func TestProbeReport(t *testing.T) {
	for _, c := range []struct {
		name      string
		transport string
		file      func() (string, []byte)
	}{
		{"bframes", "", testmedia.BFrames},
		{"h264-aac", "tcp", testmedia.H264AAC},
		{"h265", "udp", func() (string, []byte) { return testmedia.File(media.H265) }},
		{"pcma", "tcp", func() (string, []byte) { return testmedia.File(media.PCMA) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name, data := c.file()
			cam := serveClip(t, name, data)
			url := strings.Replace(cam.URL(), "://", "://admin:hunter2@", 1)
			report, err := probe(t, gateway.ProbeOptions{URL: url, Transport: c.transport})
			if err != nil {
				t.Fatal(err)
			}
			compareGolden(t, "testdata/probe/"+c.name+".txt", blot(report))
		})
	}
}

func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", path, got)
	}
}

// A stream of another server is probed like a camera.
func TestProbeWHEP(t *testing.T) {
	g := start(t, "[streams.cam]\nsource = \"demo:\"\n")
	url := "whep" + strings.TrimPrefix(g.url, "http") + "/cam/whep"
	report, err := probe(t, gateway.ProbeOptions{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"H.264 Constrained Baseline", "1280×720", "30 fps", "H.264 as it is", "Opus as it is"} {
		if !strings.Contains(report, want) {
			t.Errorf("no %q in\n%s", want, report)
		}
	}
}

// What can't be probed is one sentence without a secret.
func TestProbeFailures(t *testing.T) {
	name, data := testmedia.File(media.H264)
	cam := serveClip(t, name, data)
	for _, c := range []struct {
		name, url string
		sentence  string
		as        any
	}{
		{"nobody there", "rtsp://admin:hunter2@127.0.0.1:1/stream", "refuses the connection", new(*rtsp.UnreachableError)},
		{"wrong password", strings.Replace(cam.URL(), "://", "://admin:hunter3@", 1), "refuses the user or the password", new(*rtsp.AuthFailedError)},
		{"no password", cam.URL(), "asks for a user", new(*rtsp.AuthFailedError)},
		{"unknown kind", "ftp://admin:hunter2@host/", "ftp://admin:***@host/ is of no kind", nil},
		{"no URL", "rtsp://admin:hunter2@ho st/", "is no URL", nil},
		{"no URL of WHEP", "whep://", "", nil},
		{"nobody there over WHEP", "whep://127.0.0.1:1/cam/whep?token=hunter2", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			report, err := probe(t, gateway.ProbeOptions{URL: c.url})
			if err == nil || report != "" {
				t.Fatalf("%v, report %q", err, report)
			}
			if c.as != nil && !errors.As(err, c.as) {
				t.Errorf("%T", err)
			}
			if !strings.Contains(err.Error(), c.sentence) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("%q", err)
			}
		})
	}
}

// A probe ends with its context.
func TestProbeIsCancelled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := gateway.Probe(ctx, gateway.ProbeOptions{URL: "demo:", Out: io.Discard, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
