package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// Options is what the connections of a process have in common.
type Options struct {
	ListenUDP       string        // host:port of the one UDP port for all media; an empty host: all interfaces
	AdditionalHosts []string      // addresses or DNS names under which the port is reachable as well (NAT 1:1)
	Interfaces      []string      // names of the interfaces whose addresses are announced; empty: all
	ConsentTimeout  time.Duration // how long a silent peer is kept; 0: 30 s
	Log             *slog.Logger
}

const defaultConsentTimeout = 30 * time.Second

// Engine makes connections. All methods may be called from any goroutine.
type Engine struct {
	options     Options            // fixed after NewEngine
	certificate webrtc.Certificate // fixed after NewEngine
	mux         *announcedMux      // fixed after NewEngine
	hosts       []netip.Addr       // fixed after NewEngine; of the additional hosts
	loggers     pionLoggers        // fixed after NewEngine
	silence     silence            // fixed after NewEngine

	mu       sync.Mutex
	outgoing *announcedMux // guarded by mu; opened by the first connection that needs it
}

// silence is what pion makes of a peer that says nothing: after disconnected it is in doubt, after another failed it
// is gone. Each keepalive asks it for an answer.
type silence struct{ keepalive, disconnected, failed time.Duration }

func newSilence(consent time.Duration) silence {
	disconnected := min(5*time.Second, consent/2)
	return silence{
		keepalive:    min(2*time.Second, disconnected/2),
		disconnected: disconnected,
		failed:       consent - disconnected,
	}
}

// NewEngine opens the UDP port. The caller closes the engine after the last of its connections.
func NewEngine(ctx context.Context, o Options) (*Engine, error) {
	if o.ConsentTimeout == 0 {
		o.ConsentTimeout = defaultConsentTimeout
	}
	certificate, err := newCertificate()
	if err != nil {
		return nil, err
	}
	conn, err := listenUDP(o.ListenUDP)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options: o, certificate: certificate, loggers: pionLoggers{log: o.Log},
		hosts: resolveHosts(ctx, o), silence: newSilence(o.ConsentTimeout),
	}
	e.mux = e.newMux(conn)
	return e, nil
}

func newCertificate() (webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make a DTLS key: %w", err)
	}
	c, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return webrtc.Certificate{}, fmt.Errorf("make a DTLS certificate: %w", err)
	}
	return *c, nil
}

// Close closes the UDP ports.
func (e *Engine) Close() error {
	e.mu.Lock()
	outgoing := e.outgoing
	e.mu.Unlock()
	if outgoing == nil {
		return e.mux.Close()
	}
	return errors.Join(e.mux.Close(), outgoing.Close())
}

// Addr is the address of the UDP port.
func (e *Engine) Addr() netip.AddrPort { return e.mux.local }
