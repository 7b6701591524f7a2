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

	"sluice/auth"
	"sluice/auth/guard"
	"sluice/config"
	"sluice/fanout"
	"sluice/hub"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/session"
	"sluice/signalling/resource"
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

	// Reload asks each time for the configuration to be read anew; its sender never closes it. Load reads it. Both nil:
	// it stays as it is.
	Reload <-chan struct{}
	Load   func() (config.Config, []config.Warning, error)
	// SetLevel puts another log.level into force; nil: it stays as it is.
	SetLevel func(level string)
}

// Gateway is a running gateway. Make it with New and run it once.
type Gateway struct {
	options Options // fixed after New
	log     *slog.Logger

	hub     *hub.Hub     // fixed after New
	pages   *web.Pages   // fixed after New
	streams *catalogue   // fixed after New
	workers *workers     // fixed after New
	access  *access      // fixed after New
	guard   *guard.Guard // fixed after New

	current atomic.Pointer[config.Config] // what is in force; Reload changes it
	reloads reloads
	asks    atomic.Uint64 // for ICE servers, before there is a session

	port         *transport.Port     // set by Run before anything is served
	fanout       *fanout.Fanout      // likewise; nil: all viewers go the slow way
	engine       *peer.Engine        // likewise
	sessions     *session.Manager    // likewise
	resources    *resource.Resources // likewise
	certificates *certificates       // likewise; nil: no TLS
	relay        *relay              // likewise; nil: no STUN and TURN of our own

	ready atomic.Bool
}

// New makes a gateway that does nothing yet. Its errors name the stream and key at fault.
func New(o Options) (*Gateway, error) {
	g := &Gateway{
		options: o, log: o.Log, hub: hub.New(ringOptions(o.Config.Limits)), workers: newWorkers(o.Config, o.Log), access: newAccess(),
	}
	g.current.Store(&o.Config)
	g.reloads.last.Store(time.Now().Unix())
	if err := g.openDoors(); err != nil {
		return nil, err
	}
	g.streams = newCatalogue(o.Config, g.hub, g.feed, func(name string) { g.sessions.Forget(name) })
	if err := g.streams.addFixed(); err != nil {
		return nil, err
	}
	return g, nil
}

// openDoors makes what stands between users and the rest.
func (g *Gateway) openDoors() error {
	authorization, err := g.access.with(g.options, g.options.Config.Auth)
	if err != nil {
		return err
	}
	g.access.now.Store(authorization)
	g.guard = g.newGuard()
	g.pages, err = web.New(web.Options{SignedIn: g.signedIn, Closed: func() bool { return g.config().Auth.Mode != string(auth.ModeNone) }})
	if err != nil {
		return fmt.Errorf("load the pages: %w", err)
	}
	return nil
}

// config is what is in force now. What needs a restart is in it as it was at the start.
func (g *Gateway) config() config.Config { return *g.current.Load() }

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
	if err = g.openMedia(ctx); err != nil {
		return err
	}
	defer g.port.Close()
	defer g.engine.Close()
	defer g.access.client.CloseIdleConnections()
	g.sessions = session.New(g.streams, session.On(g.engine, g.fastWay()), g.sessionOptions(g.options.Config))
	if listener, err = g.secure(ctx, listener); err != nil {
		return err
	}
	return g.serve(ctx, listener)
}

func (g *Gateway) sessionOptions(c config.Config) session.Options {
	w, l := c.WebRTC, c.Limits
	return session.Options{
		Policy:     negotiation.Policy{H264: negotiation.H264Policy(w.H264Policy)},
		ICETimeout: w.ICETimeout, ViewerIdleTimeout: w.ViewerIdleTimeout, StrictPreconditions: w.StrictPreconditions,
		PaceBits: w.BurstMbps * 1_000_000, Reach: reachOf(c), Log: g.log,
		Limits: session.Limits{
			Sessions: l.Sessions, PerStream: l.SessionsPerStream, PerIP: l.SessionsPerIP, PerPrincipal: l.SessionsPerUser,
			HalfOpen: l.HalfOpen, HalfOpenPerIP: l.HalfOpenPerIP,
		},
	}
}

// serve runs the media port and the workers, and what uses them: these are the last to end.
func (g *Gateway) serve(ctx context.Context, listener net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	media, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return g.runMedia(media) })
	group.Go(func() error { return g.workers.run(media) })
	if g.relay != nil {
		group.Go(func() error { return g.relay.server.Run(media) })
	}
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
		g.patrol(ctx)
		return nil
	})
	group.Go(func() error {
		g.awaitReloads(ctx)
		return nil
	})
	if g.relay != nil {
		group.Go(func() error {
			g.testRelay(ctx)
			return nil
		})
	}
	if g.certificates != nil {
		group.Go(func() error { return g.certificates.run(ctx) })
		group.Go(func() error { return g.serveChallenges(ctx) })
	}
	group.Go(func() error {
		<-ctx.Done()
		return g.shutdown(context.WithoutCancel(ctx), server)
	})
	g.sayListening(listener)
	return group.Wait()
}

func (g *Gateway) sayListening(listener net.Listener) {
	g.ready.Store(true)
	attrs := []any{"http", listener.Addr().String(), "udp", g.port.Addr().String(), "streams", len(g.hub.Streams())}
	if g.certificates != nil {
		attrs[0] = "https"
	}
	if g.relay != nil {
		attrs = append(attrs, "turn", g.relay.String())
	}
	g.log.Info("listening", attrs...)
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
func URL(addr net.Addr, secure bool) string {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return scheme + addr.String() + "/"
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() || tcp.IP.IsLoopback() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, strconv.Itoa(tcp.Port)) + "/"
}
