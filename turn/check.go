package turn

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// CheckOptions say what Check tries.
type CheckOptions struct {
	URL                  string // turn:host:port?transport=udp, ?transport=tcp, or turns:host:port
	Username, Credential string
	Peer                 netip.AddrPort // invalid: allocate only
	TLS                  *tls.Config    // for turns:; nil: the system's roots
	Log                  *slog.Logger   // nil: silent
}

// Result is what Check found.
type Result struct {
	Relayed netip.AddrPort // address of the relay
	Mapped  netip.AddrPort // ours as the server sees it, by a STUN Binding request to it
	Took    time.Duration  // until the allocation stood
}

// Check makes an allocation as a browser would and, if there is a Peer, sends it a STUN Binding request through the
// relay. It returns after the answer, or with an error: *UnreachableError, *CertificateError, *UnauthorizedError,
// *QuotaError, *ForbiddenError, *RefusedError, *NoAnswerError. The Result holds what was found until then.
func Check(ctx context.Context, o CheckOptions) (Result, error) {
	var result Result
	uri, err := stun.ParseURI(o.URL)
	if err != nil || uri.Scheme != stun.SchemeTypeTURN && uri.Scheme != stun.SchemeTypeTURNS {
		return result, fmt.Errorf("%q is no TURN URL such as turn:host:3478?transport=udp", o.URL)
	}
	began := time.Now()
	conn, err := dial(ctx, uri, o)
	if err != nil {
		return result, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	client, err := pion.NewClient(clientConfig(conn, o))
	if err != nil {
		return result, fmt.Errorf("check %s: %w", o.URL, err)
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		return result, &UnreachableError{o.URL, err}
	}
	err = result.allocate(ctx, client, o, began)
	return result, cmp.Or(ctxError(ctx, o, err), err)
}

// ctxError is for an error that came of ctx's end, which closed the socket under the client.
func ctxError(ctx context.Context, o CheckOptions, err error) error {
	var unreachable *UnreachableError
	if errors.As(err, &unreachable) && ctx.Err() != nil {
		return &UnreachableError{o.URL, context.Cause(ctx)}
	}
	return nil
}

func clientConfig(conn net.PacketConn, o CheckOptions) *pion.ClientConfig {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	server := conn.(peerConn).server.String() //nolint:forcetypeassert // dial made it
	return &pion.ClientConfig{
		STUNServerAddr: server, TURNServerAddr: server, Username: o.Username, Password: o.Credential, Conn: conn,
		LoggerFactory: pionLoggers{pionLogger{log}},
	}
}

func (r *Result) allocate(ctx context.Context, client *pion.Client, o CheckOptions, began time.Time) error {
	mapped, err := client.SendBindingRequest()
	if err != nil {
		return &UnreachableError{o.URL, errors.New("no answer to a STUN Binding request")}
	}
	r.Mapped = addrPort(mapped)
	relay, err := client.Allocate()
	if err != nil {
		return refused(o, err)
	}
	defer relay.Close()
	r.Relayed, r.Took = addrPort(relay.LocalAddr()), time.Since(began)
	if !o.Peer.IsValid() {
		return nil
	}
	if err := client.CreatePermission(udpAddr(o.Peer)); err != nil {
		return forbidden(o, err)
	}
	return r.ask(ctx, relay, o)
}

// answerWithin is how long the peer has, with questions askAgain apart.
const (
	answerWithin = 3 * time.Second
	askAgain     = 500 * time.Millisecond
)

// ask sends Binding requests through the relay until one is answered.
func (r *Result) ask(ctx context.Context, relay net.PacketConn, o CheckOptions) error {
	question, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return fmt.Errorf("check %s: %w", o.URL, err)
	}
	buf := make([]byte, maxDatagram)
	for end := time.Now().Add(answerWithin); time.Now().Before(end) && ctx.Err() == nil; {
		if _, err := relay.WriteTo(question.Raw, udpAddr(o.Peer)); err != nil {
			return forbidden(o, err)
		}
		if err := relay.SetReadDeadline(time.Now().Add(askAgain)); err != nil {
			return &NoAnswerError{o.URL, o.Peer, r.Relayed}
		}
		n, _, err := relay.ReadFrom(buf)
		if err == nil && isSTUN(buf[:n]) && string(buf[8:headerSize]) == string(question.TransactionID[:]) {
			return nil
		}
	}
	return &NoAnswerError{o.URL, o.Peer, r.Relayed}
}

const codeNoCapacity = int(stun.CodeInsufficientCapacity)

// refused says what an error of Allocate means.
func refused(o CheckOptions, err error) error {
	switch code := codeOf(err); stun.ErrorCode(code) { //nolint:gosec // 300 to 699
	case 0:
		return &UnreachableError{o.URL, err}
	case stun.CodeUnauthorized, stun.CodeBadRequest, stun.CodeWrongCredentials:
		return &UnauthorizedError{o.URL}
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return &QuotaError{o.URL, code}
	default:
		return &RefusedError{o.URL, code}
	}
}

func forbidden(o CheckOptions, err error) error {
	switch code := codeOf(err); stun.ErrorCode(code) { //nolint:gosec // 300 to 699
	case 0:
		return &UnreachableError{o.URL, err}
	case stun.CodeForbidden:
		return &ForbiddenError{o.URL, o.Peer}
	default:
		return &RefusedError{o.URL, code}
	}
}

// codeOf is the code of an error response, 0 if err is none.
func codeOf(err error) int {
	var turn *stun.TurnError
	if errors.As(err, &turn) {
		return int(turn.ErrorCodeAttr.Code)
	}
	return 0
}

// peerConn is the way to a server.
type peerConn struct {
	net.PacketConn
	server netip.AddrPort
}

// dialWithin is how long a connection may take.
const dialWithin = 10 * time.Second

func dial(ctx context.Context, uri *stun.URI, o CheckOptions) (net.PacketConn, error) {
	address := net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port))
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	network := "tcp"
	if uri.Proto == stun.ProtoTypeUDP {
		network = "udp"
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, &UnreachableError{o.URL, err}
	}
	if udp, ok := conn.(*net.UDPConn); ok {
		return peerConn{connectedUDP{udp}, addrPort(udp.RemoteAddr())}, nil
	}
	server := addrPort(conn.RemoteAddr())
	if uri.Scheme == stun.SchemeTypeTURNS {
		if conn, err = handshake(ctx, conn, uri.Host, o); err != nil {
			return nil, err
		}
	}
	return peerConn{pion.NewSTUNConn(conn), server}, nil
}

func handshake(ctx context.Context, conn net.Conn, host string, o CheckOptions) (net.Conn, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.ServerName = cmp.Or(config.ServerName, host)
	secured := tls.Client(conn, config)
	err := secured.HandshakeContext(ctx)
	if err == nil {
		return secured, nil
	}
	_ = conn.Close() // the handshake's error says it all
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return nil, &CertificateError{o.URL, certificate.Err}
	}
	return nil, &UnreachableError{o.URL, err}
}

// connectedUDP is a socket that hears its server only, and hears of it when its port is closed.
type connectedUDP struct{ *net.UDPConn }

// WriteTo writes to the server.
func (c connectedUDP) WriteTo(p []byte, _ net.Addr) (int, error) { return c.Write(p) }
