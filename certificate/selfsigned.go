package certificate

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	selfSignedFile = "self-signed.pem"
	selfSignedLife = 365 * 24 * time.Hour
	// renewBefore is how long before its end a self-signed certificate is made anew.
	renewBefore = 30 * 24 * time.Hour
	// checkInterval is how often names and dates are looked at.
	checkInterval = time.Minute
	// maxNames bounds the names kept from certificates before: a laptop that comes back to a network finds its address.
	maxNames = 64
)

// selfSigned shows a certificate of our own making, kept over restarts so that a browser that was told to accept it need
// not be told again.
type selfSigned struct {
	dir     string
	names   func() []string
	log     *slog.Logger
	current atomic.Pointer[tls.Certificate]

	mu sync.Mutex // held while a certificate is read or made
}

func newSelfSigned(o Options) (*selfSigned, error) {
	dir, err := stateDir(o.StateDir)
	if err != nil {
		return nil, err
	}
	s := &selfSigned{dir: dir, names: o.Names, log: o.Log}
	if s.names == nil {
		s.names = func() []string { return []string{"localhost"} }
	}
	if stored, rerr := s.read(); rerr == nil {
		s.current.Store(stored)
	} else if !errors.Is(rerr, fs.ErrNotExist) {
		s.log.Warn("the self-signed certificate that was kept is not used", "err", rerr)
	}
	if err = s.reload(); err != nil {
		return nil, err
	}
	s.log.Info("HTTPS with a self-signed certificate: compare its SHA-256 fingerprint with the one that the browser shows",
		"fingerprint", Fingerprint(s.leaf()), "not_after", s.leaf().NotAfter)
	return s, nil
}

func (s *selfSigned) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.current.Load(), nil
}

func (s *selfSigned) leaf() *x509.Certificate { return s.current.Load().Leaf }

func (s *selfSigned) run(ctx context.Context) {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	told := false // that it fails; the text of the error is another each time
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		before := s.leaf()
		err := s.reload()
		if err != nil {
			if !told {
				s.log.Warn("the self-signed certificate can't be made anew", "err", err)
			}
			told = true
			continue
		}
		told = false
		if now := s.leaf(); !now.Equal(before) {
			s.log.Info("the self-signed certificate was made anew: browsers ask again, compare its fingerprint",
				"fingerprint", Fingerprint(now), "not_after", now.NotAfter)
		}
	}
}

// reload makes a certificate if there is none, if it is near its end, or if a name is missing.
func (s *selfSigned) reload() error {
	now, names := time.Now(), clean(s.names())
	s.mu.Lock()
	defer s.mu.Unlock()
	current := s.current.Load()
	if current != nil && now.Add(renewBefore).Before(current.Leaf.NotAfter) && !missing(names, current.Leaf) {
		return nil
	}
	if current != nil {
		names = join(names, sans(current.Leaf))
	}
	pair, text, err := makeSelfSigned(names, now)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if err = writeFile(filepath.Join(s.dir, selfSignedFile), text); err != nil {
		return fmt.Errorf("keep the certificate: %w", err)
	}
	s.current.Store(pair)
	return nil
}

// read is the certificate kept from before, with its key in the same file. One that others could read is not used.
func (s *selfSigned) read() (*tls.Certificate, error) {
	name := filepath.Join(s.dir, selfSignedFile)
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: other users may read the key (mode %v)", name, info.Mode().Perm())
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &pair, nil
}

// missing says whether the certificate lacks a name. An IPv6 address alone is no reason for a new certificate: hosts make
// themselves new ones each day (RFC 8981), and each certificate has to be accepted anew.
func missing(names []string, leaf *x509.Certificate) bool {
	have := sans(leaf)
	return slices.ContainsFunc(names, func(n string) bool {
		a, err := netip.ParseAddr(n)
		return (err != nil || a.Is4()) && !slices.Contains(have, n)
	})
}

// Fingerprint is the SHA-256 of a certificate in the form that browsers show: AB:CD:…
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
