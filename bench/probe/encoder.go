package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// picture says what the source's pictures are.
type picture struct {
	width, height, fps int
	kbps               int
	gop                time.Duration
}

// pictures in a GOP.
func (p picture) pictures() int { return max(1, int(p.gop.Seconds()*float64(p.fps))) }

// encoder is ffmpeg with libx264, without delay of its own.
type encoder struct {
	cmd *exec.Cmd
	in  io.WriteCloser // I420
	out *flvReader
}

// startEncoder starts ffmpeg, which ends with ctx, or when its input is closed.
func startEncoder(ctx context.Context, p picture) (*encoder, error) {
	number := strconv.Itoa
	rate := number(p.kbps) + "k"
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-probesize", "32",
		"-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", number(p.width)+"x"+number(p.height), "-framerate", number(p.fps), "-i", "pipe:0",
		"-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline",
		"-x264-params", "sliced-threads=0:threads=1:scenecut=0", "-bf", "0", "-g", number(p.pictures()), "-keyint_min", number(p.pictures()),
		"-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-flush_packets", "1", "-f", "flv", "pipe:1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the encoder: %w", err)
	}
	return &encoder{cmd: cmd, in: in, out: newFLVReader(out)}, nil
}

// kill ends the encoder, so that whoever reads or writes it returns. It may be called twice.
func (e *encoder) kill() {
	_ = e.in.Close()
	_ = e.cmd.Process.Kill()
}

// wait waits for the encoder, once it was killed.
func (e *encoder) wait() { _ = e.cmd.Wait() }
