package rtsp

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sluice/ingest"
	"sluice/media"
)

const (
	maxRedirects       = 5
	defaultReadTimeout = 10 * time.Second
)

// Options say which camera to pull from, and how.
type Options struct {
	URL            string        // rtsp:// or rtsps://, userinfo percent-encoded
	Transport      Transport     // "" is Auto
	ReadTimeout    time.Duration // without media or answer for so long, the session is over; 0 is 10 s
	TLSFingerprint string        // rtsps: accept the certificate of this SHA-256 only (CheckFingerprint)
	TLSInsecure    bool          // rtsps: accept any certificate
	Log            *slog.Logger  // required
}

// Source pulls the stream of one camera. It implements ingest.Source; one Run at a time.
type Source struct {
	options Options        // fixed after New
	target  target         // fixed after New
	roots   *x509.CertPool // fixed after New: nil for the system's
	times   times          // fixed after New

	worked Transport // owned by Run: the one that played last
	tally  tally
}

// times are what tests shorten.
type times struct {
	silence time.Duration // without a packet over UDP, before TCP is tried
	report  time.Duration // between receiver reports
}

// New makes a source that is not running yet. Its errors say what is wrong with the options, without a secret.
func New(o Options) (*Source, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Transport == "" {
		o.Transport = Auto
	}
	if !slices.Contains([]Transport{Auto, TCP, UDP, Multicast}, o.Transport) {
		return nil, fmt.Errorf("transport %q is unknown: auto, tcp, udp or multicast", string(o.Transport))
	}
	if o.TLSFingerprint != "" {
		if err := CheckFingerprint(o.TLSFingerprint); err != nil {
			return nil, fmt.Errorf("tls_fingerprint: %w", err)
		}
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = defaultReadTimeout
	}
	return &Source{options: o, target: t, times: times{silence: 3 * time.Second, report: 5 * time.Second}}, nil
}

// Run plays the camera's stream until it ends or ctx is done. It publishes with the first packet, so that a stream
// is ready when there is something to see. Errors are of this package's types; ingest.IsPermanent tells those that
// a retry won't mend.
func (s *Source) Run(ctx context.Context, publish ingest.Publish) error {
	to := s.target
	for range maxRedirects + 1 {
		err := s.connect(ctx, to, publish)
		var r *redirect
		if !errors.As(err, &r) {
			return s.mark(err)
		}
		s.options.Log.Info("camera redirects", "to", media.RedactURL(r.location))
		if to, err = to.follow(r.location); err != nil {
			return ingest.Permanent(err)
		}
	}
	return ingest.Permanent(&RedirectError{To: media.RedactURL(to.url.String()), Reason: "that is one redirect too many"})
}

// connect tries the transports in turn.
func (s *Source) connect(ctx context.Context, to target, publish ingest.Publish) error {
	var order []Transport
	for i := 0; ; i++ {
		c, err := s.dial(ctx, to)
		if err != nil {
			return err
		}
		if order == nil {
			camera, _ := c.hosts()
			order = s.order(to, camera)
		}
		c.start(order[i])
		last := i == len(order)-1
		p := newSession(s, c, to, publish, last)
		if err = p.run(ctx); last || !blamesTransport(err) {
			return err
		}
		s.options.Log.Info("trying another transport", "tried", string(order[i]), "next", string(order[i+1]), "err", err)
	}
}

// order is the transports to try: the configured one; else first the one that worked, or by the distance of the
// camera, UDP on the own network and TCP across others. TLS would be in vain with plain packets beside it.
func (s *Source) order(to target, camera netip.Addr) []Transport {
	switch {
	case s.options.Transport != Auto:
		return []Transport{s.options.Transport}
	case to.secure():
		return []Transport{TCP}
	case s.worked == UDP, s.worked == "" && nearby(camera):
		return []Transport{UDP, TCP}
	}
	return []Transport{TCP, UDP}
}

// errNoPackets tells that UDP packets do not get through.
var errNoPackets = errors.New("no packet arrives")

func blamesTransport(err error) bool {
	return errors.Is(err, errNoPackets) || errors.As(err, new(*TransportRefusedError))
}

// mark tells the supervisor which errors a retry won't mend. A path that played before may come back: a camera
// that starts up answers 404 for a while.
func (s *Source) mark(err error) error {
	var t *TLSError
	switch {
	case errors.As(err, new(*AuthFailedError)), errors.As(err, new(*RefusedAddressError)),
		errors.As(err, &t) && t.Fingerprint != "",
		errors.As(err, new(*NotFoundError)) && s.worked == "":
		return ingest.Permanent(err)
	}
	return err
}

// Stats counts what a source has received in all its sessions.
type Stats struct {
	Transport        Transport // of the current or last session that played; "" before
	Packets          uint64
	Bytes            uint64
	Lost             uint64 // packets that never came
	Malformed        uint64 // packets or units dropped as damaged
	KeyframeRequests uint64 // wishes of viewers: counted only, as RTSP has no way to pass them on
}

// Stats may be called from any goroutine.
func (s *Source) Stats() Stats {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	t := s.tally.past
	t.add(s.tally.now)
	return t
}

// tally sums up the statistics of sessions.
type tally struct {
	mu        sync.Mutex
	past, now Stats // guarded by mu: of the sessions before, and of the current one
}

func (t *tally) set(now Stats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = now
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.past.add(t.now)
	t.now = Stats{}
}

func (t *Stats) add(o Stats) {
	if o.Transport != "" {
		t.Transport = o.Transport
	}
	t.Packets += o.Packets
	t.Bytes += o.Bytes
	t.Lost += o.Lost
	t.Malformed += o.Malformed
	t.KeyframeRequests += o.KeyframeRequests
}
