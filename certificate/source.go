package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
)

// The modes of http.tls.
const (
	ModeFiles      = ""
	ModeSelfSigned = "self-signed"
	ModeACME       = "acme"
)

// Options say where the certificate comes from.
type Options struct {
	Mode string

	CertFile, KeyFile string // PEM; for ModeFiles

	Hosts     []string     // names to get certificates for; for ModeACME
	Directory string       // URL of the authority's directory; "": Let's Encrypt
	HTTPSPort uint16       // where plain HTTP is redirected to; 0: 443
	Client    *http.Client // asks the authority; nil: one that trusts what the system trusts (or SSL_CERT_FILE)

	// Names lists the names and addresses that a self-signed certificate is for. It is asked about once a minute.
	Names func() []string

	StateDir string // what is made or got is kept below it over restarts, readable by this user only
	Log      *slog.Logger
}

// Source has the certificate that is valid now. Its methods may be called by any goroutine.
type Source struct {
	keeper keeper
	protos []string
}

// keeper is one way to have a certificate.
type keeper interface {
	// certificate answers a handshake. It does not wait.
	certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	leaf() *x509.Certificate
	// run renews the certificate until ctx ends.
	run(ctx context.Context)
	// reload looks now for what run would find later.
	reload() error
}

// New reads the files, or makes or reads the self-signed certificate, or reads what the authority gave us before. It asks
// nobody over the network. A *FileError says which file is wrong.
func New(o Options) (*Source, error) {
	s := &Source{protos: []string{"h2", "http/1.1"}}
	var err error
	switch o.Mode {
	case ModeFiles:
		s.keeper, err = newFiles(o)
	case ModeSelfSigned:
		s.keeper, err = newSelfSigned(o)
	case ModeACME:
		s.keeper, err = newAuthority(o)
		s.protos = append(s.protos, protoChallenge)
	default:
		err = fmt.Errorf("http.tls: %q is not one of %q, %q", o.Mode, ModeSelfSigned, ModeACME)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Config is for servers: TLS 1.2 or newer, HTTP/2 and HTTP/1.1, and always the certificate that is valid then. Each call
// makes one; connections that are open go on with the certificate that they began with.
func (s *Source) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: s.keeper.certificate, NextProtos: append([]string(nil), s.protos...),
	}
}

// Run watches the files or renews the certificate until ctx ends. Failures are logged, and what was valid stays.
func (s *Source) Run(ctx context.Context) error {
	s.keeper.run(ctx)
	return nil
}

// Reload looks at once for changed files or names, as Run does from time to time. If it fails, what was valid stays.
func (s *Source) Reload() error { return s.keeper.reload() }

// Leaf is the certificate shown now, for ACME that of the first host; nil: there is none yet.
func (s *Source) Leaf() *x509.Certificate { return s.keeper.leaf() }

// HTTPHandler answers HTTP-01 challenges (RFC 8555 8.3) and hands all else to next; nil redirects it to HTTPS if its Host
// is one of ours. It is for http.acme_listen; the authority is offered that kind of challenge only after this call.
func (s *Source) HTTPHandler(next http.Handler) http.Handler {
	a, ok := s.keeper.(*authority)
	if !ok {
		if next == nil {
			return http.NotFoundHandler()
		}
		return next
	}
	return a.httpHandler(next)
}
