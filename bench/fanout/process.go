//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server, or a source, that runs.
type process struct {
	server
	cmd *exec.Cmd
	out bytes.Buffer // what it said; read after its end
}

// start starts a server in a folder of its own.
func (s server) start(ctx context.Context, dir, source string) (*process, error) {
	dir, err := os.MkdirTemp(dir, s.Name)
	if err != nil {
		return nil, err
	}
	if s, err = s.place(dir, source); err != nil {
		return nil, err
	}
	p := &process{server: s, cmd: exec.CommandContext(ctx, s.Command[0], s.Command[1:]...)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.out, &p.out
	return p, p.cmd.Start()
}

// stop ends it, politely at first.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // or it has ended by itself
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait() // how it ended says nothing of what was measured
}

// usage is what a process has used so far.
type usage struct {
	cpu time.Duration // of all its threads, the kernel's part included
	at  time.Time
}

// clockTick is the unit of times in /proc/PID/stat, which is the same on all Linux systems of today (USER_HZ).
const clockTick = 10 * time.Millisecond

func (p *process) usage() (usage, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return usage{}, fmt.Errorf("%s has ended: %w", p.Name, err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the command's name
	f := strings.Fields(rest)
	if len(f) < 13 {
		return usage{}, fmt.Errorf("/proc of %s says %q", p.Name, text)
	}
	user, userErr := strconv.ParseInt(f[11], 10, 64)
	system, systemErr := strconv.ParseInt(f[12], 10, 64)
	if userErr != nil || systemErr != nil {
		return usage{}, fmt.Errorf("/proc of %s says %q", p.Name, text)
	}
	return usage{cpu: time.Duration(user+system) * clockTick, at: time.Now()}, nil
}

// resident is the memory that it holds, in KiB.
func (p *process) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kib
		}
	}
	return 0
}

// goroutines are how many it has; false: it doesn't say.
func (p *process) goroutines(ctx context.Context) (float64, bool) {
	if p.Goroutines == "" {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Goroutines, nil)
	if err != nil {
		return 0, false
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, false
	}
	defer r.Body.Close()
	return findGoroutines(r.Body)
}

// findGoroutines reads what Prometheus' client or pprof say.
func findGoroutines(r io.Reader) (float64, bool) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		for _, head := range []string{"go_goroutines ", "goroutine profile: total "} {
			if value, ok := strings.CutPrefix(lines.Text(), head); ok {
				n, err := strconv.ParseFloat(value, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
}
