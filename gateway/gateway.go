// Package gateway puts the parts together and runs them. It is the only package that knows them all.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/config"
	"sluice/fanout"
	"sluice/hub"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/session"
	"sluice/transport"
	"sluice/web"
)

const (
	shutdownTime = 4 * time.Second // for all parts together; a second is left for the process itself
	drainTime    = time.Second     // for HTTP requests under way
)

// Options is what a gateway is made of.
type Options struct {
	Config  config.Config // valid
	Log     *slog.Logger
	Version string
	// OnListening is called once, with the address of the HTTP port, when requests are answered.
	OnListening func(addr net.Addr)
}

// Gateway is a running gateway. Make it with New and run it once.
type Gateway struct {
	options Options // fixed after New
	log     *slog.Logger

	hub     *hub.Hub   // fixed after New
	pages   *web.Pages // fixed after New
	streams *catalogue // fixed after New
	workers *workers   // fixed after New

	port     *transport.Port  // set by Run before anything is served
	fanout   *fanout.Fanout   // likewise; nil: all viewers go the slow way
	engine   *peer.Engine     // likewise
	sessions *session.Manager // likewise

	ready atomic.Bool
}

// New makes a gateway that does nothing yet. Its errors name the stream and key at fault.
func New(o Options) (*Gateway, error) {
	pages, err := web.New()
	if err != nil {
		return nil, fmt.Errorf("load the pages: %w", err)
	}
	g := &Gateway{
		options: o, log: o.Log, pages: pages, hub: hub.New(ringOptions(o.Config.Limits)), workers: newWorkers(o.Config, o.Log),
	}
	g.streams = newCatalogue(o.Config, g.hub, g.feed, func(name string) { g.sessions.Forget(name) })
	if err := g.streams.addFixed(); err != nil {
		return nil, err
	}
	return g, nil
}

// ringOptions translates the limits: in the configuration 0 is no limit.
func ringOptions(l config.Limits) hub.Options {
	o := hub.Options{RingMaxAge: l.RingMaxAge, RingMaxBytes: l.RingMaxMiB << 20}
	if o.RingMaxAge == 0 {
		o.RingMaxAge = math.MaxInt64
	}
	if o.RingMaxBytes == 0 {
		o.RingMaxBytes = math.MaxInt
	}
	return o
}

// Run listens, runs all sources and serves until ctx is done; then it ends everything within 5 s. Its errors are
// sentences that name the key at fault.
func (g *Gateway) Run(ctx context.Context) error {
	listener, err := listenTCP(ctx, g.options.Config.HTTP.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := g.openMedia(ctx); err != nil {
		return err
	}
	defer g.port.Close()
	defer g.engine.Close()
	g.sessions = g.newSessions()
	return g.serve(ctx, listener)
}

func (g *Gateway) newSessions() *session.Manager {
	w, l := g.options.Config.WebRTC, g.options.Config.Limits
	return session.New(g.streams, session.On(g.engine, g.fastWay()), session.Options{
		Policy:     negotiation.Policy{H264: negotiation.H264Policy(w.H264Policy)},
		ICETimeout: w.ICETimeout, ViewerIdleTimeout: w.ViewerIdleTimeout, StrictPreconditions: w.StrictPreconditions,
		PaceBits: w.BurstMbps * 1_000_000, Reach: reachOf(g.options.Config), Log: g.log,
		Limits: session.Limits{
			Sessions: l.Sessions, PerStream: l.SessionsPerStream, PerIP: l.SessionsPerIP,
			HalfOpen: l.HalfOpen, HalfOpenPerIP: l.HalfOpenPerIP,
		},
	})
}

// serve runs the media port and the workers, and what uses them: these are the last to end.
func (g *Gateway) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	media, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return g.runMedia(media) })
	group.Go(func() error { return g.workers.run(media) })
	group.Go(func() error {
		defer stop()
		return g.serveUsers(ctx, listener)
	})
	return group.Wait()
}

func (g *Gateway) serveUsers(ctx context.Context, listener net.Listener) error {
	server := g.newServer()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		g.streams.Run(ctx)
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return g.shutdown(context.WithoutCancel(ctx), server)
	})
	g.sayListening(listener)
	return group.Wait()
}

func (g *Gateway) sayListening(listener net.Listener) {
	g.ready.Store(true)
	g.log.Info("listening", "http", listener.Addr().String(), "udp", g.port.Addr().String(), "streams", len(g.hub.Streams()))
	if g.options.OnListening != nil {
		g.options.OnListening(listener.Addr())
	}
}

// shutdown refuses what is new, says goodbye to the viewers and lets requests under way finish. The sources end by
// themselves, side by side with it.
func (g *Gateway) shutdown(ctx context.Context, server *http.Server) error {
	g.ready.Store(false)
	g.log.Info("shutting down", "sessions", len(g.sessions.Sessions()))
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	var sessions sync.WaitGroup
	sessions.Go(g.sessions.Close)
	drain, cancelDrain := context.WithTimeout(ctx, drainTime)
	defer cancelDrain()
	if err := server.Shutdown(drain); err != nil {
		_ = server.Close() // whoever is still connected has had its second
	}
	sessions.Wait()
	g.hub.Close()
	return nil
}

// ListenError tells that the HTTP port could not be opened.
type ListenError struct {
	Address string
	Err     error
}

func (e *ListenError) Error() string {
	return fmt.Sprintf("http.listen: cannot open TCP %s: %v", e.Address, e.Err)
}

func (e *ListenError) Unwrap() error { return e.Err }

func listenTCP(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &ListenError{Address: address, Err: errors.Unwrap(err)}
	}
	return l, nil
}

// URL is what to open in a browser to reach a gateway that listens at addr.
func URL(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "http://" + addr.String() + "/"
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() || tcp.IP.IsLoopback() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port)) + "/"
}
