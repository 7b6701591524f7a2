package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

const (
	certKey = "http.tls_cert"
	keyKey  = "http.tls_key"
)

// loadPair reads a certificate with its chain, and its key. The certificate must not have expired; one that is not valid
// yet will do, for a machine without a clock of its own starts in the past.
func loadPair(certFile, keyFile string, now time.Time) (*tls.Certificate, error) {
	cert, err := readPEM(certKey, certFile)
	if err != nil {
		return nil, err
	}
	key, err := readPEM(keyKey, keyFile)
	if err != nil {
		return nil, err
	}
	if err = checkKinds(certFile, cert, keyFile, key); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, pairError(certFile, cert, keyFile, err)
	}
	if now.After(pair.Leaf.NotAfter) {
		return nil, &FileError{certKey, certFile, fmt.Errorf("%w: it was valid until %s", ErrExpired, pair.Leaf.NotAfter.Format(time.DateOnly))}
	}
	return &pair, nil
}

func readPEM(key, file string) ([]byte, error) {
	if file == "" {
		return nil, &FileError{Key: key, Err: ErrMissing}
	}
	data, err := os.ReadFile(file)
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &FileError{key, file, ErrMissing}
	case errors.As(err, &path):
		return nil, &FileError{key, file, path.Err}
	case err != nil:
		return nil, &FileError{key, file, err}
	}
	return data, nil
}

// checkKinds finds files that hold something else than they should.
func checkKinds(certFile string, cert []byte, keyFile string, key []byte) error {
	switch hasCert, hasKey, _ := kinds(cert); {
	case hasCert:
	case hasKey:
		return &FileError{certKey, certFile, ErrSwapped}
	default:
		return &FileError{certKey, certFile, ErrNotPEM}
	}
	switch hasCert, hasKey, encrypted := kinds(key); {
	case encrypted:
		return &FileError{keyKey, keyFile, ErrEncrypted}
	case hasKey:
	case hasCert:
		return &FileError{keyKey, keyFile, ErrSwapped}
	default:
		return &FileError{keyKey, keyFile, ErrNotPEM}
	}
	return nil
}

// kinds says what PEM blocks a text has. Keys of old OpenSSL are encrypted by a header.
func kinds(text []byte) (cert, key, encrypted bool) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert = cert || block.Type == "CERTIFICATE"
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			key = true
			encrypted = encrypted || block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != ""
		}
	}
	return cert, key, encrypted
}

// pairError finds which file is to blame for a pair that does not load.
func pairError(certFile string, cert []byte, keyFile string, err error) error {
	if cerr := parseChain(cert); cerr != nil {
		return &FileError{certKey, certFile, cerr}
	}
	// crypto/tls has no type for it. Keys of two kinds don't match either.
	if text := err.Error(); strings.Contains(text, "does not match") {
		return &FileError{keyKey, keyFile, fmt.Errorf("%w in %s", ErrMismatch, certFile)}
	}
	return &FileError{keyKey, keyFile, err}
}

func parseChain(text []byte) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return fmt.Errorf("the certificate is damaged: %w", err)
		}
	}
	return nil
}
