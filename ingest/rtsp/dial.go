package rtsp

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const dialTimeout = 5 * time.Second

// dial connects to the camera and, for rtsps, makes sure that it is the right one. Its errors are
// *UnreachableError, *RefusedAddressError and *TLSError.
func (s *Source) dial(ctx context.Context, to target) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d := net.Dialer{ControlContext: refuseMetadata}
	raw, err := d.DialContext(ctx, "tcp", to.address())
	if err != nil {
		var refused *RefusedAddressError
		if errors.As(err, &refused) {
			return nil, refused
		}
		return nil, &UnreachableError{Address: to.address(), Err: err}
	}
	secured := raw
	if to.secure() {
		if secured, err = s.handshake(ctx, raw, to); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	return newConn(secured, raw, to.address(), to.credentials, to.secure()), nil
}

// metadataAddresses give cloud credentials to whoever asks from inside, so no URL may lead there.
var metadataAddresses = []netip.Addr{netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("fd00:ec2::254")}

// refuseMetadata is called with each address before it is connected to, after the name has been looked up.
func refuseMetadata(_ context.Context, _, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	for _, m := range metadataAddresses {
		if a.Addr().Unmap().WithZone("") == m {
			return &RefusedAddressError{Address: address}
		}
	}
	return nil
}

func (s *Source) handshake(ctx context.Context, raw net.Conn, to target) (net.Conn, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: to.url.Hostname(),
		RootCAs:    s.roots,
	}
	switch {
	case s.options.TLSFingerprint != "":
		config.InsecureSkipVerify = true //nolint:gosec // pinned instead
		config.VerifyConnection = s.verifyPin
	case s.options.TLSInsecure:
		config.InsecureSkipVerify = true //nolint:gosec // as configured
	}
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, tlsError(to.address(), err)
	}
	return c, nil
}

// pinError tells that the camera's certificate is not the pinned one.
type pinError struct{ certificate *x509.Certificate }

func (e *pinError) Error() string { return "its fingerprint is another than tls_fingerprint" }

func (s *Source) verifyPin(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("it shows no certificate")
	}
	if leaf := state.PeerCertificates[0]; fingerprint(leaf) != normalizeFingerprint(s.options.TLSFingerprint) {
		return &pinError{leaf}
	}
	return nil
}

// fingerprint is the SHA-256 of a certificate in lower-case hex.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// normalizeFingerprint takes the forms that browsers and openssl print.
func normalizeFingerprint(s string) string {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "sha256:")
	return strings.NewReplacer(":", "", " ", "").Replace(s)
}

// CheckFingerprint reports what is wrong with a tls_fingerprint, which is 64 hex digits with or without colons.
func CheckFingerprint(s string) error {
	if b, err := hex.DecodeString(normalizeFingerprint(s)); err != nil || len(b) != sha256.Size {
		return fmt.Errorf("%q is no SHA-256 fingerprint: 64 hex digits, with or without colons", s)
	}
	return nil
}

func tlsError(address string, err error) error {
	e := &TLSError{Address: address, Err: err}
	var pin *pinError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &pin):
		e.Fingerprint = fingerprint(pin.certificate)
	case errors.As(err, &verification) && len(verification.UnverifiedCertificates) > 0:
		e.Fingerprint = fingerprint(verification.UnverifiedCertificates[0])
		e.Err = verification.Err
	case errors.As(err, new(tls.RecordHeaderError)):
		e.Err = errors.New("the port does not speak TLS: try rtsp:// instead of rtsps://")
	case errors.Is(err, context.DeadlineExceeded):
		e.Err = errors.New("it does not finish the handshake")
	}
	return e
}
