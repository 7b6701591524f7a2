package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pollInterval is how often the files are looked at. A look is two calls of stat; watching by inotify would have to
// follow each symbolic link of the path, and sees nothing on network file systems.
const pollInterval = 2 * time.Second

// files shows a certificate that somebody else renews.
type files struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu   sync.Mutex // held while the files are read
	seen [2]os.FileInfo
}

func newFiles(o Options) (*files, error) {
	f := &files{certFile: o.CertFile, keyFile: o.KeyFile, log: o.Log}
	if err := f.reload(); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

func (f *files) leaf() *x509.Certificate { return f.current.Load().Leaf }

func (f *files) run(ctx context.Context) {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.poll()
		}
	}
}

// poll reads files that have changed. Those that don't fit together are told about once, and looked at again when they
// change once more: so a pair that is half written makes no harm.
func (f *files) poll() {
	f.mu.Lock()
	changed := !same(f.seen, f.stat())
	f.mu.Unlock()
	if !changed {
		return
	}
	if err := f.reload(); err != nil {
		f.log.Warn("the new certificate is not used, the one before stays", "err", err)
	}
}

func (f *files) reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = f.stat() // before reading: what is written meanwhile is a change
	pair, err := loadPair(f.certFile, f.keyFile, time.Now())
	if err != nil {
		return err
	}
	if before := f.current.Swap(pair); before == nil || !before.Leaf.Equal(pair.Leaf) {
		f.log.Info("the certificate is loaded", "file", f.certFile, "not_after", pair.Leaf.NotAfter)
	}
	return nil
}

// stat follows symbolic links: certbot and Kubernetes renew by pointing one elsewhere. A file that is missing is nil.
func (f *files) stat() (now [2]os.FileInfo) {
	for i, name := range []string{f.certFile, f.keyFile} {
		if info, err := os.Stat(name); err == nil {
			now[i] = info
		}
	}
	return now
}

func same(a, b [2]os.FileInfo) bool {
	for i := range a {
		switch {
		case a[i] == nil || b[i] == nil:
			if a[i] != b[i] {
				return false
			}
		case !os.SameFile(a[i], b[i]) || a[i].Size() != b[i].Size() || !a[i].ModTime().Equal(b[i].ModTime()):
			return false
		}
	}
	return true
}
