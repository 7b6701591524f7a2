//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// command is what other servers' hooks run for each stream that has to be made anew: one ffmpeg, with the settings for
// low latency that they document, and our preset, profile, bit rate and keyframes. Time stamps are kept, so that
// pictures can be told apart; that costs nothing. Where it would publish to its server, it sends plain RTP to us.
const command = "-hide_banner -loglevel error -fflags nobuffer -flags low_delay {probing} -rtsp_transport tcp -i {source} " +
	"-an -c:v libx264 -preset superfast -tune zerolatency -profile:v baseline -g 60 -b:v 2350k -maxrate 2350k -bufsize 2350k " +
	"-fps_mode passthrough -enc_time_base -1 -f rtp rtp://{to}?pkt_size=1200"

// How ffmpeg gets to know what the camera sends: by default it listens for up to 5 s.
const (
	usualProbing = ""
	shortProbing = "-probesize 50000 -analyzeduration 0"
)

// peer is one ffmpeg.
type peer struct {
	video   ear
	socket  net.PacketConn
	heard   sync.WaitGroup
	cmd     *exec.Cmd
	line    []string
	started time.Time
}

func newPeer(source, probing string) (*peer, error) {
	socket, err := (&net.ListenConfig{}).ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := socket.(*net.UDPConn).SetReadBuffer(1 << 20); err != nil {
		return nil, err
	}
	fill := strings.NewReplacer("{probing}", probing, "{source}", source, "{to}", socket.LocalAddr().String())
	p := &peer{socket: socket, line: strings.Fields(fill.Replace(command))}
	p.heard.Go(p.hear)
	return p, nil
}

// start runs ffmpeg, as a supervisor would that wastes no time.
func (p *peer) start(ctx context.Context) error {
	p.started = time.Now()
	p.cmd = exec.CommandContext(ctx, "ffmpeg", p.line...)
	return p.cmd.Start()
}

// kill ends ffmpeg and waits for that.
func (p *peer) kill() {
	_ = p.cmd.Process.Kill() // or it has ended by itself
	_ = p.cmd.Wait()         // how it ended says nothing of what was measured
}

// close is for when ffmpeg has ended.
func (p *peer) close() {
	_ = p.socket.Close()
	p.heard.Wait()
}

func (p *peer) hear() {
	buffer := make([]byte, 2048)
	for {
		n, _, err := p.socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		now := time.Now()
		var packet rtp.Packet
		if packet.Unmarshal(buffer[:n]) == nil {
			p.video.add(&packet, now)
		}
	}
}

// openPeer starts an ffmpeg for the camera.
func (b *bench) openPeer(ctx context.Context, _ path, f *film) (*scene, error) {
	p, err := newPeer(f.url, usualProbing)
	if err != nil {
		return nil, err
	}
	if err := p.start(ctx); err != nil {
		p.close()
		return nil, err
	}
	s := &scene{film: f, seen: p.video.seen, workers: []int{p.cmd.Process.Pid}, close: func() { p.kill(); p.close() }}
	if _, err := p.video.playable(ctx, p.started, firstWithin); err != nil {
		s.close()
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	return s, nil
}
