// Package whep pulls streams from other WHEP servers.
//
// Specification: draft-ietf-wish-whep.
package whep

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"sluice/ingest"
	"sluice/negotiation"
	"sluice/peer"
	"sluice/signalling/client"
)

// Receiver makes receiving connections. *peer.Engine is one.
type Receiver interface {
	OfferReceive(o peer.ReceiveOptions) (*peer.Reception, error)
	Receive(offer *negotiation.Offer, plan *negotiation.Plan, o peer.ReceiveOptions) (*peer.Reception, error)
}

// Options say which stream to pull.
type Options struct {
	URL       string         // whep:// or wheps://
	Token     string         // Bearer; "": none
	UserAgent string         // "Sluice/1.2"
	RootCAs   *x509.CertPool // who may vouch for the server; nil: the system's
	Engine    Receiver
	Log       *slog.Logger
}

// Source pulls one stream. It implements ingest.Source; one Run at a time.
type Source struct {
	options Options        // fixed after New
	client  *client.Client // fixed after New
	times   times          // fixed after New

	notBefore time.Time // owned by Run: the server wants to be left alone until then

	mu  sync.Mutex
	now *peer.Reception // guarded by mu: the one that receives, or nil
	sum Stats           // guarded by mu: of those before
}

// times are what tests shorten.
type times struct {
	doubt   time.Duration // without RTP, before ICE is restarted (C7)
	silence time.Duration // without RTP, before the session is given up (C12)
	tracks  time.Duration // that tracks without RTP are waited for
}

// New makes a source that is not running yet. Its errors say what is wrong with the options, without a secret.
func New(o Options) (*Source, error) {
	c, err := client.New(client.Options{
		Protocol: client.WHEP, URL: o.URL, Token: o.Token, UserAgent: o.UserAgent, RootCAs: o.RootCAs,
	})
	if err != nil {
		return nil, err
	}
	return &Source{
		options: o, client: c,
		times: times{doubt: 5 * time.Second, silence: 10 * time.Second, tracks: time.Second},
	}, nil
}

// Host is the scheme and host of the server, which is as much of its URL as may be shown.
func (s *Source) Host() string { return s.client.Host() }

// Run pulls the stream until it ends or ctx is done. It publishes once RTP has begun in all tracks of the server's
// answer, or a second after the first. ingest.IsPermanent tells the errors that a retry won't mend. A server that
// has asked to be left alone for some time is, whoever runs the source again.
func (s *Source) Run(ctx context.Context, publish ingest.Publish) error {
	if err := s.leaveAlone(ctx); err != nil {
		return err
	}
	err := s.pull(ctx, publish)
	if after := client.RetryAfter(err); after > 0 {
		s.notBefore = time.Now().Add(after)
	}
	return mark(err)
}

func (s *Source) leaveAlone(ctx context.Context) error {
	t := time.NewTimer(time.Until(s.notBefore))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// mark tells the supervisor which errors a retry won't mend: final refusals, and offers that a person has to change.
// A stream that is not there (404) may come.
func mark(err error) error {
	var status *client.StatusError
	switch {
	case errors.As(err, &status) && status.Status == http.StatusNotFound:
		return err
	case client.IsFinal(err), errors.As(err, new(*negotiation.NoCodecError)), errors.As(err, new(*negotiation.UnservableOfferError)):
		return ingest.Permanent(err)
	}
	return err
}

// SilenceError tells that the server sends nothing any more.
type SilenceError struct {
	After time.Duration
	Began bool // media had come before
}

func (e *SilenceError) Error() string {
	if e.Began {
		return fmt.Sprintf("no media for %v", e.After)
	}
	return fmt.Sprintf("no media within %v: the server's stream may have no source, or its packets do not get through", e.After)
}

// Stats counts what a source has received in all its sessions.
type Stats = peer.ReceptionStats

// Stats may be called from any goroutine.
func (s *Source) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return s.sum
	}
	return added(s.sum, s.now.Stats())
}

// count makes the reception the one that Stats looks at; nil: none.
func (s *Source) count(r *peer.Reception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now != nil {
		s.sum = added(s.sum, s.now.Stats())
	}
	s.now = r
}

func added(a, b Stats) Stats {
	return Stats{
		Packets: a.Packets + b.Packets, Bytes: a.Bytes + b.Bytes, Lost: a.Lost + b.Lost,
		Malformed: a.Malformed + b.Malformed, Keyframes: a.Keyframes + b.Keyframes,
	}
}
