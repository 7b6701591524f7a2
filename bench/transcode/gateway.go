//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// options say how a gateway makes the stream "cam" anew.
type options struct {
	source string // URL
	warm   int
	linger time.Duration
	stream string // lines of the stream's configuration
}

// gateway is one that runs.
type gateway struct {
	cmd *exec.Cmd
	url string // with its last slash
}

// transcode is what the API tells of an encoder.
type transcode struct {
	Kind, State, Error string
	PID                int
	Restarts           int
	FirstFrameMs       float64 `json:"first_frame_ms"`
	MemoryBytes        float64 `json:"memory_bytes"`
}

const config = `
[http]
listen = "127.0.0.1:0"
[webrtc]
listen_udp = "0"
[log]
level = "error"
[limits]
posts_per_second_per_ip = 0
[transcode]
worker = %q
warm = %d
linger = %q
[streams.cam]
source = %q
%s
`

var saidURL = regexp.MustCompile(`http://\S+`)

// startGateway starts one and waits until it listens.
func (w *workshop) startGateway(ctx context.Context, o options) (*gateway, error) {
	file := w.path("config.toml")
	text := fmt.Sprintf(config, w.path("gateway-gst"), o.warm, o.linger, o.source, o.stream)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	g := &gateway{cmd: exec.CommandContext(ctx, w.path("gateway"), "--config", file)}
	g.cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+w.path("cache"))
	g.cmd.Stderr = os.Stderr
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = g.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if g.url = saidURL.FindString(line); g.url == "" {
		g.stop()
		return nil, fmt.Errorf("the gateway said %q instead of its URL: %w", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
	return g, g.ready(ctx, o.warm)
}

// stop ends it and its workers, politely at first.
func (g *gateway) stop() {
	_ = g.cmd.Process.Signal(syscall.SIGTERM) // or it has ended by itself
	timer := time.AfterFunc(10*time.Second, func() { _ = g.cmd.Process.Kill() })
	defer timer.Stop()
	_ = g.cmd.Wait() // how it ended says nothing of what was measured
}

func (g *gateway) whep(query string) string { return g.url + "cam/whep" + query }

// transcodes are the encoders that run.
func (g *gateway) transcodes(ctx context.Context) ([]transcode, error) {
	var s struct{ Transcodes []transcode }
	r, body, err := request(ctx, http.MethodGet, g.url+"api/v1/streams/cam", "")
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("the API answers with %d: %s", r.StatusCode, body)
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &s)
	}
	return s.Transcodes, err
}

const readyWithin = 20 * time.Second

var errNotReady = errors.New("the gateway does not get ready")

// until waits for something to be so.
func until(ctx context.Context, what error, so func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for !so() {
		if wait(ctx, retryEvery) != nil {
			return what
		}
	}
	return nil
}

// ready waits until so many workers are warm.
func (g *gateway) ready(ctx context.Context, warm int) error {
	return until(ctx, errNotReady, func() bool {
		_, body, err := request(ctx, http.MethodGet, g.url+"metrics", "")
		return err == nil && strings.Contains(body, fmt.Sprintf("\nsluice_worker_warm %d\n", warm))
	})
}

var errLingers = errors.New("an encoder does not end after its last viewer")

// idle waits until no encoder runs.
func (g *gateway) idle(ctx context.Context) error {
	return until(ctx, errLingers, func() bool {
		all, err := g.transcodes(ctx)
		return err == nil && len(all) == 0
	})
}

// cpu is the processor time that a process has taken, all its threads and the kernel's part included.
func cpu(pid int) (time.Duration, error) {
	const scheduler = 2 // CPUCLOCK_SCHED: what clock_getcpuclockid(3) asks for
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// resident is the memory that a process holds, in MiB.
func resident(pid int) float64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if f := strings.Fields(string(text)); err == nil && len(f) > 1 {
		pages, _ := strconv.ParseFloat(f[1], 64)
		return pages * float64(os.Getpagesize()) / (1 << 20)
	}
	return 0
}
