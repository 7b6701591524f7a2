package fanout

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/elliptic"

	"sluice/negotiation"
	"sluice/transport"
)

const (
	// dtlsMTU keeps a flight's datagrams below any path's MTU.
	dtlsMTU = 1200
	// flightInterval is before the first retransmission; each next takes twice as long, so six fit in 10 s.
	flightInterval = 200 * time.Millisecond
)

var (
	errFingerprint = errors.New("the viewer's certificate is not the one that its offer names")
	errNoSRTP      = errors.New("the viewer agreed on no SRTP profile")
)

// handshaker makes DTLS handshakes as the server (RFC 5763, section 5: our answer is passive). All methods may be
// called from any goroutine.
type handshaker struct {
	options     []dtls.Option // of connections that begin, and of those that go on
	certificate []byte        // DER
}

func newHandshaker(cert tls.Certificate, log *slog.Logger) *handshaker {
	return &handshaker{certificate: cert.Certificate[0], options: []dtls.Option{
		dtls.WithCertificates(cert),
		dtls.WithCipherSuites(
			dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		),
		dtls.WithEllipticCurves(elliptic.X25519, elliptic.P256),
		dtls.WithSRTPProtectionProfiles(transport.SRTPProfiles[dtls.SRTPProtectionProfile]()...),
		dtls.WithFlightInterval(flightInterval),
		dtls.WithMTU(dtlsMTU),
		dtls.WithLoggerFactory(pionLoggers{pionLogger{log.With("pion", "dtls")}}),
	}}
}

// run makes the handshake until ctx is done. The viewer's certificate must be one of want (RFC 8122), else the error
// is errFingerprint; errNoSRTP is returned if no profile fits. After an error the pipe is closed.
func (h *handshaker) run(ctx context.Context, p *pipe, want []negotiation.Fingerprint) (*secured, error) {
	known := false
	verify := func(chain [][]byte, _ [][]*x509.Certificate) error {
		if known = len(chain) > 0 && matches(chain[0], want); !known {
			return errFingerprint
		}
		return nil
	}
	conn, err := dtls.ServerWithOptions(p, p.remote, h.serverOptions(verify)...)
	if err != nil {
		p.close()
		return nil, fmt.Errorf("set up DTLS: %w", err)
	}
	if err = conn.HandshakeContext(ctx); err == nil && !known {
		err = errFingerprint
	}
	var keys srtpKeys
	if err == nil {
		keys, err = keysOf(conn)
	}
	if err != nil {
		_ = conn.Close() // which tells the viewer, if it believes that it is connected
		return nil, fmt.Errorf("agree on keys: %w", err)
	}
	p.secureOnly()
	return newSecured(h, conn, p, keys), nil
}

// serverOptions are those of a handshake. There is no cookie to prove that the viewer has its address (RFC 6347, section
// 4.2.1): a check from there has come before, with the session's password, and a session makes one handshake only.
func (h *handshaker) serverOptions(verify func([][]byte, [][]*x509.Certificate) error) []dtls.ServerOption {
	options := make([]dtls.ServerOption, 0, len(h.options)+3)
	for _, o := range h.options {
		options = append(options, o)
	}
	return append(options, dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithVerifyPeerCertificate(verify))
}

func keysOf(conn *dtls.Conn) (srtpKeys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return srtpKeys{}, errNoSRTP
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return srtpKeys{}, errNoSRTP
	}
	return exportKeys(uint16(profile), &state)
}

// secured is a connection after its handshake. Nothing is sent over it but its end; until settle it also answers a
// viewer that didn't get the last flight. All methods may be called from any goroutine.
type secured struct {
	handshaker *handshaker   // fixed
	remote     net.Addr      // fixed
	material   srtpKeys      // fixed
	left       chan struct{} // read closes it once the viewer has closed the connection
	ended      chan struct{} // read closes it when it returns
	ours       atomic.Bool   // it is we who close the connection

	turn  chan struct{} // of 1; filled by who works on state and over
	state *dtls.State   // guarded by turn; what is kept of the connection; nil before settle
	over  bool          // guarded by turn; one side has closed the connection

	mu    sync.Mutex
	conn  *dtls.Conn // guarded by mu; nil after settle and close
	pipe  *pipe      // guarded by mu; that of conn
	tries limiter    // guarded by mu
}

// newSecured starts a goroutine that reads until the connection ends.
func newSecured(h *handshaker, conn *dtls.Conn, p *pipe, keys srtpKeys) *secured {
	s := &secured{
		handshaker: h, remote: p.remote, material: keys, conn: conn, pipe: p, turn: make(chan struct{}, 1),
		left: make(chan struct{}), ended: make(chan struct{}),
	}
	go s.read(conn)
	return s
}

// read waits for the viewer's close_notify or fatal alert. Whatever else it sends is not for us: the buffer takes
// none of it.
func (s *secured) read(conn *dtls.Conn) {
	defer close(s.ended)
	for {
		if _, err := conn.Read(nil); errors.Is(err, io.EOF) {
			break
		}
	}
	if !s.ours.Load() {
		close(s.left)
	}
}

// keys are those of SRTP.
func (s *secured) keys() srtpKeys { return s.material }

// closedByPeer is closed once the viewer has closed the connection before settle.
func (s *secured) closedByPeer() <-chan struct{} { return s.left }

// settle gives up the connection, its goroutines and its buffers without a word on the wire. Of it remains what can
// tell and say a goodbye.
func (s *secured) settle() {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	conn, p := s.detach()
	if conn == nil {
		return
	}
	// Close writes a close_notify, which takes a record's sequence number; so the state is asked for afterwards.
	p.redirect(nil)
	s.end(conn)
	if s.hasLeft() {
		s.over = true
		return
	}
	if state, ok := conn.ConnectionState(); ok {
		state.PeerCertificates = nil
		s.state = &state
	}
}

// record takes a DTLS datagram that came after the handshake, and reports whether it ends a settled connection:
// whether it is an authentic close_notify or fatal alert. That costs a few ten microseconds, so only what looks like
// one is tried, and that seldom; a goodbye that is missed shows itself by silence.
func (s *secured) record(data []byte) (closed bool) {
	p, promising := s.route(data)
	if p != nil {
		p.deliver(data)
	}
	if !promising {
		return false
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	default:
		return false
	}
	if s.state == nil || s.over {
		return false
	}
	s.over = s.ends(data)
	return s.over
}

// close says goodbye over write, if neither side has yet, and gives up all that is left. A nil write says nothing.
func (s *secured) close(write func([]byte) error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if conn, p := s.detach(); conn != nil {
		p.redirect(write)
		s.end(conn)
	} else if s.state != nil && !s.over && write != nil {
		s.sayGoodbye(write)
	}
	s.state, s.over = nil, true
}

// detach takes the connection, if there still is one.
func (s *secured) detach() (*dtls.Conn, *pipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, p := s.conn, s.pipe
	s.conn, s.pipe = nil, nil
	return conn, p
}

// end closes the connection. Two goroutines of pion's end right afterwards: it lets nobody wait for them.
func (s *secured) end(conn *dtls.Conn) {
	s.ours.Store(true)
	_ = conn.Close() // what could fail is the goodbye, which is lost like any datagram then
	<-s.ended
}

func (s *secured) hasLeft() bool {
	select {
	case <-s.left:
		return true
	default:
		return false
	}
}

// route returns where a record goes before settle, and after it whether it may be tried as a goodbye.
func (s *secured) route(data []byte) (*pipe, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pipe != nil {
		return s.pipe, false
	}
	return nil, isAlert(data) && s.tries.allow(time.Now())
}

// ends opens an alert with what was kept. pion closes the connection that it is given if the alert ends it, and asks
// for the next datagram if not.
func (s *secured) ends(data []byte) bool {
	l := newLetter(data, s.remote)
	conn, err := s.resume(l)
	if err != nil {
		return false
	}
	_ = conn.Handshake() // over already; an error means that the letter was read sooner
	defer func() { _ = conn.Close() }()
	select {
	case <-l.closed:
		return true
	case <-l.read:
		return false
	}
}

// sayGoodbye sends a close_notify with the first sequence number that was never sent.
func (s *secured) sayGoodbye(write func([]byte) error) {
	p := newPipe(netip.AddrPort{}, write)
	conn, err := s.resume(p)
	if err != nil {
		return
	}
	if conn.Handshake() == nil {
		_ = conn.Close() // lost like any datagram
	}
	p.close()
}

// resume makes a connection of what was kept.
func (s *secured) resume(over net.PacketConn) (*dtls.Conn, error) {
	return dtls.ResumeWithOptions(s.state, over, s.remote, s.handshaker.options...)
}
