package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/config"
)

// reloads counts them.
type reloads struct {
	turn sync.Mutex // one at a time

	done, refused atomic.Uint64
	last          atomic.Int64 // when the configuration in force was read, in Unix seconds
}

// awaitReloads reads the configuration anew whenever it is asked to, until ctx is done.
func (g *Gateway) awaitReloads(ctx context.Context) {
	for {
		select {
		case <-g.options.Reload:
			g.reread()
		case <-ctx.Done():
			return
		}
	}
}

// reread puts the configuration into force that is in the file now. One with faults is refused whole: they are told,
// and the old one stays (J158).
func (g *Gateway) reread() {
	to, warnings, err := g.options.Load()
	for _, w := range warnings {
		g.log.Warn("configuration", "warning", w.String())
	}
	if err == nil {
		err = g.Reload(to)
	}
	if err == nil {
		return
	}
	g.reloads.refused.Add(1)
	for fault := range strings.Lines(err.Error()) {
		g.log.Error("the configuration has a fault", "fault", strings.TrimSpace(fault))
	}
	g.log.Error("the configuration was not reloaded: the one from before stays in force")
}

// Reload puts another valid configuration into force, or none of it if the error is not nil. What needs a restart is
// named in the log and stays as it is.
func (g *Gateway) Reload(to config.Config) error {
	g.reloads.turn.Lock()
	defer g.reloads.turn.Unlock()
	old := g.config()
	next, restart := old.Reloaded(to)
	if next.HTTP.Encrypted() != old.HTTP.Encrypted() {
		restart = append(restart, "http.tls_cert")
		next.HTTP.TLSCert, next.HTTP.TLSKey = old.HTTP.TLSCert, old.HTTP.TLSKey
	}
	if err := next.Validate(); err != nil {
		return &needsRestartError{Keys: restart, Err: err}
	}
	if err := g.apply(old, next); err != nil {
		return err
	}
	if len(restart) > 0 {
		g.log.Warn("these keys have changed and take a restart of the gateway", "keys", strings.Join(restart, " "))
	}
	g.reloads.done.Add(1)
	g.reloads.last.Store(time.Now().Unix())
	g.log.Info("the configuration was reloaded", "changed", strings.Join(old.Changed(next), " "), "streams", len(next.Streams))
	return nil
}

// needsRestartError tells that what can't change without a restart contradicts what can.
type needsRestartError struct {
	Keys []string // that have changed and can't be put into force
	Err  error    // what is wrong with the others without them
}

// Error has a line for each fault.
func (e *needsRestartError) Error() string {
	return fmt.Sprintf("without a restart, which puts %s into force too, it can't be: restart the gateway\n%v", strings.Join(e.Keys, ", "), e.Err)
}

func (e *needsRestartError) Unwrap() error { return e.Err }

// apply makes all that may fail, and puts nothing into force before all of it is there.
func (g *Gateway) apply(old, next config.Config) error {
	authorization, err := g.access.with(g.options, next.Auth)
	if err != nil {
		return err
	}
	var renewed *credential
	if g.certificates != nil && (next.HTTP.TLSCert != old.HTTP.TLSCert || next.HTTP.TLSKey != old.HTTP.TLSKey) {
		if renewed, err = g.certificates.credential(next.HTTP); err != nil {
			return err
		}
	}
	if err := g.streams.alter(next, g.endStream); err != nil {
		return err
	}
	if renewed != nil {
		g.certificates.use(renewed)
	}
	g.current.Store(&next)
	g.access.now.Store(authorization)
	g.configure(next)
	g.expel()
	return nil
}

// configure tells the parts that run what they go by from now on.
func (g *Gateway) configure(next config.Config) {
	g.sessions.Configure(g.sessionOptions(next))
	if g.relay != nil {
		if err := g.relay.server.Configure(g.relayOptions(next)); err != nil {
			g.log.Error("turn: another configuration was not put into force", "err", err) // config has checked it
		}
	}
	g.resources.Limit(next.Limits.SDPKiB<<10, next.Limits.PostsPerSecondPerIP)
	if g.options.SetLevel != nil {
		g.options.SetLevel(next.Log.Level)
	}
}
