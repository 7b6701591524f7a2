//go:build linux

package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"golang.org/x/sync/errgroup"
)

// Options of a Load.
type Options struct {
	Readers int  // goroutines that read sockets; 0: one
	GRO     bool // let the kernel hand over runs of packets as one (UDP_GRO), which spares the sender's core on loopback
}

// Each viewer is visited twice a second: for a receiver report at every second visit, and for a consent check at
// every fifth, which is each 2.5 s, as browsers do.
const (
	visitEvery   = 500 * time.Millisecond
	slots        = 50 // of a visit's period, so that not all viewers report at once
	reportVisits = 2
	checkVisits  = 5
)

// Load is a crowd of viewers. New, then Run; Join while it runs.
type Load struct {
	options     Options         // fixed after New, as are the next three
	certificate tls.Certificate // of all viewers
	client      *http.Client
	readers     []*reader

	joined atomic.Uint64 // viewers so far

	mu      sync.Mutex
	visited [slots]map[*Viewer]struct{} // guarded by mu
}

// New makes a Load without viewers.
func New(o Options) (*Load, error) {
	o.Readers = max(o.Readers, 1)
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	l := &Load{options: o, certificate: certificate, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for i := range l.visited {
		l.visited[i] = map[*Viewer]struct{}{}
	}
	for range o.Readers {
		r, err := newReader(o.GRO)
		if err != nil {
			l.close()
			return nil, err
		}
		l.readers = append(l.readers, r)
	}
	return l, nil
}

// Run reads and reports for all viewers until ctx is done, and then closes those that are left.
func (l *Load) Run(ctx context.Context) error {
	defer l.close()
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range l.readers {
		g.Go(func() error { return r.run(ctx) })
	}
	g.Go(func() error {
		l.visit(ctx)
		return nil
	})
	return g.Wait()
}

func (l *Load) close() {
	for i := range l.visited {
		for _, v := range l.slot(i) {
			v.Vanish()
		}
	}
	for _, r := range l.readers {
		r.close()
	}
	l.client.CloseIdleConnections()
}

// visit makes the rounds until ctx is done.
func (l *Load) visit(ctx context.Context) {
	pace := time.NewTicker(visitEvery / slots)
	defer pace.Stop()
	for i := 0; ; i = (i + 1) % slots {
		select {
		case <-ctx.Done():
			return
		case now := <-pace.C:
			for _, v := range l.slot(i) {
				v.visit(now)
			}
		}
	}
}

func (l *Load) slot(i int) []*Viewer {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*Viewer, 0, len(l.visited[i]))
	for v := range l.visited[i] {
		all = append(all, v)
	}
	return all
}

func (l *Load) add(v *Viewer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.visited[v.number%slots][v] = struct{}{}
}

func (l *Load) remove(v *Viewer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.visited[v.number%slots], v)
}
