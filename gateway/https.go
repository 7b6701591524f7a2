package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/certificate"
	"sluice/config"
)

// newCertificate makes the source of the certificate.
func (g *Gateway) newCertificate(h config.HTTP) (*certificate.Source, error) {
	return certificate.New(certificate.Options{
		Mode: h.TLS, CertFile: h.TLSCert, KeyFile: h.TLSKey, Hosts: h.ACMEHosts, Directory: h.ACMEDirectory,
		HTTPSPort: portOf(h.Listen), Names: g.ownNames, StateDir: stateDir(), Log: g.log,
	})
}

// ownNames are the names and addresses that this gateway may be reached under.
func (g *Gateway) ownNames() []string {
	names := []string{"localhost"}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	c := g.options.Config
	if host, _, err := net.SplitHostPort(c.HTTP.Listen); err == nil && host != "" {
		names = append(names, host)
	}
	names = append(names, c.WebRTC.AdditionalHosts...)
	for _, a := range g.port.Addresses() {
		names = append(names, a.Addr().String())
	}
	return names
}

// stateDir is where what has to outlive the process is kept: where systemd says, or the user's own folder for state.
func stateDir() string {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "sluice")
}

func portOf(listen string) uint16 {
	a, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return 0
	}
	return a.AddrPort().Port()
}

// serveChallenges answers the authority's questions on http.acme_listen until ctx is done.
func (g *Gateway) serveChallenges(ctx context.Context) error {
	h := g.options.Config.HTTP
	if h.TLS != certificate.ModeACME || h.ACMEListen == "" {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.ACMEListen)
	if err != nil {
		return fmt.Errorf("http.acme_listen: cannot open TCP %s: %w", h.ACMEListen, errors.Unwrap(err))
	}
	server := &http.Server{Handler: g.certificates.now.Load().source.HTTPHandler(nil), ReadTimeout: headerTimeout, WriteTimeout: 10 * time.Second, MaxHeaderBytes: maxHeader}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http.acme_listen: %w", err)
	}
	return nil
}

// certificates has the source of the certificate, which another configuration may change.
type certificates struct {
	make    func(config.HTTP) (*certificate.Source, error) // fixed
	now     atomic.Pointer[credential]
	changed chan struct{} // capacity 1; sent to by use
}

// credential is a source and what connections use of it.
type credential struct {
	source *certificate.Source
	config *tls.Config
}

// secure puts TLS in front of the port if the configuration has it, and opens TURN, which may share it.
func (g *Gateway) secure(ctx context.Context, l net.Listener) (net.Listener, error) {
	h := g.options.Config.HTTP
	if !h.Encrypted() {
		return l, g.openRelay(ctx, nil, l.Addr())
	}
	g.certificates = &certificates{make: g.newCertificate, changed: make(chan struct{}, 1)}
	first, err := g.certificates.credential(h)
	if err != nil {
		return nil, err
	}
	g.certificates.use(first)
	secure := g.certificates.tls()
	if err := g.openRelay(ctx, secure, l.Addr()); err != nil {
		return nil, err
	}
	var relayed func(net.Conn)
	if g.relay != nil && g.options.Config.Turn.ShareHTTPS {
		relayed = g.relay.server.Serve
	}
	return certificate.Split(l, secure, relayed), nil
}

// credential makes what a configuration wants.
func (c *certificates) credential(h config.HTTP) (*credential, error) {
	source, err := c.make(h)
	if err != nil {
		return nil, err
	}
	return &credential{source: source, config: source.Config()}, nil
}

// use has connections from now on see what was made.
func (c *certificates) use(made *credential) {
	c.now.Store(made)
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// tls is for listeners: it has the certificate of the source that is used then.
func (c *certificates) tls() *tls.Config {
	out := c.now.Load().config.Clone()
	out.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return c.now.Load().config.GetCertificate(hello)
	}
	return out
}

// run keeps the certificate valid until ctx is done.
func (c *certificates) run(ctx context.Context) error {
	for ctx.Err() == nil {
		one, cancel := context.WithCancel(ctx)
		source := c.now.Load().source
		var running sync.WaitGroup
		running.Go(func() { _ = source.Run(one) }) // it has no error
		select {
		case <-c.changed:
		case <-ctx.Done():
		}
		cancel()
		running.Wait()
	}
	return nil
}
