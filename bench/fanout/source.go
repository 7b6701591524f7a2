//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// source is the camera, which runs for the whole of a part.
type source struct {
	cmd *exec.Cmd
	url string

	heard sync.WaitGroup
	mu    sync.Mutex
	sent  []sent // guarded by mu
}

// sent is one picture as the source wrote it.
type sent struct {
	timestamp uint32
	bytes     int
	at        int64 // when its first packet was to be written, in nanoseconds of Unix time
}

var errNoURL = errors.New("the source does not say its URL")

// keepSent is how many pictures are remembered.
const keepSent = 3000

func (w *workshop) startSource(ctx context.Context, gop int) (*source, error) {
	c, err := w.clip(gop)
	if err != nil {
		return nil, err
	}
	s := &source{cmd: exec.CommandContext(ctx, w.path("source"), "-file", c.file)}
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		s.stop()
		return nil, errNoURL
	}
	s.url = strings.TrimSpace(lines.Text())
	s.heard.Go(func() { s.hear(lines) })
	return s, nil
}

// hear keeps what the source says until it ends.
func (s *source) hear(lines *bufio.Scanner) {
	for lines.Scan() {
		var one sent
		if _, err := fmt.Sscan(lines.Text(), &one.timestamp, &one.bytes, &one.at); err != nil {
			continue
		}
		s.mu.Lock()
		s.sent = append(s.sent, one)
		if len(s.sent) > 2*keepSent {
			s.sent = append([]sent(nil), s.sent[keepSent:]...)
		}
		s.mu.Unlock()
	}
}

// pictures are those sent so far.
func (s *source) pictures() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sent(nil), s.sent...)
}

func (s *source) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // or it has ended by itself
	s.heard.Wait()
	_ = s.cmd.Wait() // how it ended says nothing of what was measured
}
