package doctor

import (
	"context"
	"net/netip"
	"time"
)

// Options say what is looked at, and by what means.
type Options struct {
	URL        string // scheme, host and port of the gateway; a path's first word may name the stream
	Setup      *Setup // of the gateway on this machine; nil: it is known from outside alone
	Stream     string // "": the first that is ready
	Token      string // "": none
	ServerName string // that is asked for in TLS; "": the URL's host
	Insecure   bool   // the token goes to a gateway whose certificate is not trusted too
	UserAgent  string // "Sluice/1.2"

	Viewers Viewers
	Relays  Relays
	Cameras Cameras // nil: cameras are not asked for their clock
}

// Setup is what a configuration tells of the gateway.
type Setup struct {
	Listen          string   // http.listen
	TLS             string   // "": none, or "files", "self-signed", "acme"
	Turn            string   // off, embedded, external
	AdditionalHosts []string // webrtc.additional_hosts
	Proxied         bool     // http.trusted_proxies names somebody
}

// Viewers makes WHEP sessions.
type Viewers interface {
	// Open posts an offer without candidates. The error is a *RefusedError if the gateway has refused it. insecure
	// accepts any certificate, token is sent if it is not "".
	Open(ctx context.Context, o SessionOptions) (Session, error)
}

// SessionOptions say which session is made.
type SessionOptions struct {
	URL, Token string // of the WHEP endpoint
	Insecure   bool   // any certificate will do
	TCP        bool   // it connects over TCP
	Relayed    bool   // it connects through a TURN server alone
}

// Session is a WHEP session of ours. Its methods are for one goroutine.
type Session interface {
	Answer() string       // SDP
	Servers() []ICEServer // that the gateway lets us use
	// Connect begins to connect with an answer, of which something may have been left out, and waits until that is
	// done. servers are those that are used. from then on media are received.
	Connect(ctx context.Context, answer string, servers []ICEServer) error
	Picture(ctx context.Context) error            // waits for the first picture
	Verdict(ctx context.Context) (Verdict, error) // what the gateway says
	Close(ctx context.Context)                    // ends it, at the gateway too
}

// Verdict is what a gateway says of a session that does not connect or play.
type Verdict struct{ Sentence, Advice string }

// RefusedError tells that the gateway has refused a session.
type RefusedError struct {
	Status int    // of HTTP
	Detail string // the gateway's words
}

func (e *RefusedError) Error() string { return e.Detail }

// ICEServer is a STUN or TURN server.
type ICEServer struct{ URL, Username, Credential string }

// Relays tries STUN and TURN servers.
type Relays interface {
	// Try asks a STUN server for our address, or makes an allocation and has it reach peer. The error is a *RelayError.
	Try(ctx context.Context, s ICEServer, peer netip.AddrPort) (RelayResult, error)
}

// RelayResult is what a STUN or TURN server has given.
type RelayResult struct {
	Relayed netip.AddrPort // invalid: STUN
	Mapped  netip.AddrPort // ours, as the server sees it
	Took    time.Duration
}

// RelayFault is what is wrong with a STUN or TURN server.
type RelayFault string

// The faults.
const (
	RelayUnreachable  RelayFault = "unreachable"
	RelayCertificate  RelayFault = "certificate"
	RelayUnauthorized RelayFault = "unauthorized"
	RelayQuota        RelayFault = "quota"
	RelayForbidden    RelayFault = "forbidden" // to reach the media port
	RelayRefused      RelayFault = "refused"
)

// RelayError tells what is wrong with a STUN or TURN server.
type RelayError struct {
	Fault RelayFault
	Err   error
}

func (e *RelayError) Error() string { return e.Err.Error() }

func (e *RelayError) Unwrap() error { return e.Err }

// Cameras asks cameras what time it is.
type Cameras interface {
	// Clock tells how far the clock of a stream's camera is ahead of ours. known is false for a camera that does not
	// tell, or is none. The error is that the camera can't be reached from here.
	Clock(ctx context.Context, stream string) (ahead time.Duration, known bool, err error)
}
