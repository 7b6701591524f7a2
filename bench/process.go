package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a gateway, or a camera, that runs.
type process struct {
	cmd  *exec.Cmd
	url  string        // as it said
	took time.Duration // from its start until it said so
}

func (b bench) start(ctx context.Context, toml string) (*process, error) {
	file := filepath.Join(b.dir, "config.toml")
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		return nil, err
	}
	return launch(exec.CommandContext(ctx, b.gateway, "--config", file))
}

func (b bench) startCamera(ctx context.Context) (*process, error) {
	return launch(exec.CommandContext(ctx, b.gateway, "camera", "--demo", "--listen", "127.0.0.1:0"))
}

var saidURL = regexp.MustCompile(`(?:http|rtsp)://\S+`)

// launch starts a program and waits for the line on which it says its URL.
func launch(cmd *exec.Cmd) (*process, error) {
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err = cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	p.took, p.url = time.Since(began), saidURL.FindString(line)
	if err != nil || p.url == "" {
		_ = p.stop() // what it said is the better error
		return nil, fmt.Errorf("%s said %q instead of its URL: %w", cmd, line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
	return p, nil
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// resident is the memory that the process holds, in MiB.
func (p *process) resident() float64 { return p.status("VmRSS") }

// peak is the most memory that the process has held, in MiB.
func (p *process) peak() float64 { return p.status("VmHWM") }

func (p *process) status(key string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kib / 1024
		}
	}
	return 0
}
