package camera

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"golang.org/x/sync/errgroup"
)

// Multicast groups that nobody else owns (RFC 2365, the local scope).
const multicastRange = "239.255.77.0/24"

// writeQueueSize is how many packets may wait for a reader: a keyframe of some megabytes.
const writeQueueSize = 4096

// Camera serves one clip. Use: New, Listen, then Serve once; or Run, which is both.
type Camera struct {
	options Options  // fixed after New
	sockets *sockets // fixed after Listen
}

// New returns a camera that isn't running yet. Errors say which option is wrong, or which track can't be sent.
func New(o Options) (*Camera, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	tracks, _, err := newTracks(o.Clip, o.MaxPacketSize)
	if err != nil {
		return nil, err
	}
	for i, t := range o.Clip.Tracks {
		if _, err := tracks[i].packetize(t.Units[0].Data); err != nil {
			return nil, fmt.Errorf("the track %s can't be sent: %w", t.ID, err)
		}
	}
	return &Camera{options: o}, nil
}

// Listen opens the ports, which Serve or Close gives back. From here on readers can connect, and wait.
func (c *Camera) Listen() error {
	s, err := openSockets(c.options.Listen, c.options.offers(UDP))
	if err != nil {
		return err
	}
	c.sockets = s
	return nil
}

// Addr is where RTSP listens. Valid after Listen.
func (c *Camera) Addr() net.Addr { return c.sockets.rtsp.Addr() }

// URL is what a reader opens, without user and password. Valid after Listen.
func (c *Camera) URL() string {
	scheme, path := "rtsp", c.options.Path
	if c.options.TLS != nil {
		scheme = "rtsps"
	}
	if path == "" {
		path = "/stream"
	}
	return scheme + "://" + c.Addr().String() + path
}

// Close gives the ports of Listen back if Serve was never called; otherwise it does nothing that matters.
func (c *Camera) Close() {
	if c.sockets != nil {
		c.sockets.close()
	}
}

// Run is Listen and Serve.
func (c *Camera) Run(ctx context.Context) error {
	if err := c.Listen(); err != nil {
		return err
	}
	return c.Serve(ctx)
}

// Serve plays the clip to all readers until ctx ends, or with Once, the clip, or with Live, what is fed; then it
// returns nil. It hangs up on all readers and closes the ports before it returns.
func (c *Camera) Serve(ctx context.Context) error {
	defer c.Close()
	tracks, desc, err := newTracks(c.options.Clip, c.options.MaxPacketSize)
	if err != nil {
		return err
	}
	h := &handler{options: &c.options, ready: make(chan struct{})}
	server, err := c.server(h)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the RTSP server: %w", err)
	}
	out := &gortsplib.ServerStream{Server: server, Desc: desc}
	if err := out.Initialize(); err != nil {
		h.open(nil)
		server.Close()
		return fmt.Errorf("start the stream: %w", err)
	}
	defer out.Close()
	defer server.Close() // before the stream, which its sessions use
	h.open(out)
	return c.play(ctx, server, &stream{out: out, start: time.Now(), sending: c.options.Sending, tracks: tracks})
}

// play ends when the player does, or the server by itself.
func (c *Camera) play(ctx context.Context, server *gortsplib.Server, s *stream) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer server.Close()
		return c.performer(s).run(ctx, s.start)
	})
	g.Go(func() error {
		if err := server.Wait(); !errors.As(err, &liberrors.ErrServerTerminated{}) {
			return fmt.Errorf("serve RTSP: %w", err)
		}
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// performer is what gives a sink its units, from start on.
type performer interface {
	run(ctx context.Context, start time.Time) error
}

func (c *Camera) performer(s sink) performer {
	o := &c.options
	if o.Live != nil {
		return &feed{tracks: o.Clip.Tracks, units: o.Live, reportEvery: o.ReportInterval, sink: s}
	}
	return &player{clip: o.Clip, once: o.Once, reportEvery: o.ReportInterval, sink: s}
}

// server returns gortsplib's server with our sockets and options.
func (c *Camera) server(h *handler) (*gortsplib.Server, error) {
	o := &c.options
	s := &gortsplib.Server{
		Handler: h, TLSConfig: o.TLS, AuthMethods: o.verifyMethods(),
		RTSPAddress: c.Addr().String(), Listen: c.sockets.listen, ListenPacket: c.sockets.listenPacket,
		WriteQueueSize: writeQueueSize, DisableRTCPSenderReports: true,
	}
	if c.sockets.rtp != nil {
		s.UDPRTPAddress, s.UDPRTCPAddress = c.sockets.rtp.LocalAddr().String(), c.sockets.rtcp.LocalAddr().String()
	}
	if o.offers(Multicast) {
		// The server opens them when the first reader comes, on the group's address.
		rtp, rtcp, err := openPair("")
		if err != nil {
			return nil, err
		}
		port := rtp.LocalAddr().(*net.UDPAddr).Port
		_, _ = rtp.Close(), rtcp.Close()
		s.MulticastIPRange, s.MulticastRTPPort, s.MulticastRTCPPort = multicastRange, port, port+1
	}
	return s, nil
}
