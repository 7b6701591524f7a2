package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"
)

// Options is what the connections of a process have in common.
type Options struct {
	Conn              PacketConn      // the UDP port of all media
	Hosts             Hosts           // where that is reached
	Streams           net.Listener    // connections of peers that get no UDP through (ICE-TCP); nil: none
	Certificate       tls.Certificate // of DTLS, with its Leaf
	Interfaces        []string        // names of the interfaces whose addresses another port than that is announced at; empty: all
	DenyPrivateRemote bool            // candidates of peers in private networks are skipped: this is a gateway for the internet
	ConsentTimeout    time.Duration   // how long a silent peer is kept; 0: 30 s
	Log               *slog.Logger
}

const (
	defaultConsentTimeout = 30 * time.Second

	streamPackets = 64      // of one TCP connection that wait to be read
	streamBuffer  = 1 << 20 // bytes that wait to be sent in one; what comes then is lost, as over UDP
)

// Engine makes connections. All methods may be called from any goroutine.
type Engine struct {
	options     Options            // fixed after NewEngine
	certificate webrtc.Certificate // fixed after NewEngine
	mux         *announcedMux      // fixed after NewEngine
	streams     ice.TCPMux         // fixed after NewEngine; nil: none
	loggers     pionLoggers        // fixed after NewEngine
	silence     silence            // fixed after NewEngine
	ctx         context.Context    // fixed after NewEngine; never done: for ports that are opened later

	mu       sync.Mutex
	outgoing *ownPort // guarded by mu; opened by the first connection that needs it
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

// NewEngine makes the engine of a UDP port, which it reads from then on. The caller closes the engine after the last of
// its connections, and the port after that.
func NewEngine(ctx context.Context, o Options) *Engine {
	if o.ConsentTimeout == 0 {
		o.ConsentTimeout = defaultConsentTimeout
	}
	e := &Engine{
		options: o, certificate: webrtc.CertificateFromX509(o.Certificate.PrivateKey, o.Certificate.Leaf),
		loggers: pionLoggers{log: o.Log}, silence: newSilence(o.ConsentTimeout), ctx: context.WithoutCancel(ctx),
	}
	e.mux = e.newMux(o.Conn, o.Hosts)
	if o.Streams != nil {
		e.streams = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: o.Streams, Logger: e.loggers.NewLogger("tcp-mux"), ReadBufferSize: streamPackets, WriteBufferSize: streamBuffer,
		})
	}
	return e
}

// Close ends the use of the port, and closes that of its own for connections to other servers.
func (e *Engine) Close() error {
	e.mu.Lock()
	outgoing := e.outgoing
	e.mu.Unlock()
	all := []error{e.mux.Close()}
	if e.streams != nil {
		all = append(all, e.streams.Close())
	}
	if outgoing != nil {
		all = append(all, outgoing.close())
	}
	return errors.Join(all...)
}

// Addr is the address of the UDP port.
func (e *Engine) Addr() netip.AddrPort { return e.mux.local }
