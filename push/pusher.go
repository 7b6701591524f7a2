// Package push sends streams on to other WHIP servers.
//
// Specification: RFC 9725.
package push

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"sync"
	"time"

	"sluice/hub"
	"sluice/media"
	"sluice/peer"
	"sluice/rtpout"
	"sluice/signalling/client"
)

// Sender makes sending connections. *peer.Engine is one.
type Sender interface {
	OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (*peer.Connection, error)
}

// Options say which stream goes where.
type Options struct {
	Stream    *hub.Stream
	URL       string         // whip://, whips://, http:// or https://
	Token     string         // Bearer; "": none
	UserAgent string         // "Sluice/1.2"
	RootCAs   *x509.CertPool // who may vouch for the server; nil: the system's
	Engine    Sender
	Log       *slog.Logger
}

// Pusher sends one stream on to one server, for as long as somebody publishes it. Run is called once; the other
// methods may be called from any goroutine.
type Pusher struct {
	options Options        // fixed after New
	client  *client.Client // fixed after New
	times   times          // fixed after New
	total   rtpout.Counters

	backoff client.Backoff // owned by Run
	told    string         // owned by Run: the trouble that the log knows of; "": none
	refused media.Codec    // owned by Run: of sound, by the server; "": none

	mu     sync.Mutex
	status Status // guarded by mu; without what Status adds
}

// times are what tests shorten.
type times struct {
	settle  time.Duration // that a new source has until its pictures are known
	connect time.Duration
	gone    time.Duration // that a session outlives its source
	final   time.Duration // between tries that are likely to be in vain
}

// New makes a pusher that is not running yet. Its errors say what is wrong with the options, without a secret.
func New(o Options) (*Pusher, error) {
	c, err := client.New(client.Options{
		Protocol: client.WHIP, URL: o.URL, Token: o.Token, UserAgent: o.UserAgent, RootCAs: o.RootCAs,
	})
	if err != nil {
		return nil, err
	}
	o.Log = o.Log.With("push", c.Host())
	return &Pusher{
		options: o, client: c, status: Status{State: StateIdle},
		times: times{settle: 2 * time.Second, connect: 10 * time.Second, gone: 10 * time.Second, final: time.Minute},
	}, nil
}

// Run sends whenever the stream is published, until ctx is done; then it returns the cause. All the while the stream
// is wanted, so that a source that runs on demand does run.
//
// What the server refuses for good, such as a wrong token, is tried again each minute all the same: keys are mended
// at the server, of which the gateway hears nothing. It is tried at once when the source changes, which may be what
// was wrong.
func (p *Pusher) Run(ctx context.Context) error {
	defer p.options.Stream.Want()()
	defer p.set(Status{State: StateIdle})
	for {
		c, err := p.awaitSource(ctx)
		if err != nil {
			return err
		}
		err = p.send(ctx, c)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if blamesSource(err) {
			p.options.Log.Info("the session at the server is ended", "reason", err.Error())
			continue
		}
		if p.learn(c, err) {
			continue
		}
		p.fail(err)
		p.pause(ctx, c, err)
	}
}

// choose is what is sent now, without the sound that the server refuses.
func (p *Pusher) choose(all []hub.Rendition) (choice, error) {
	c, err := choose(all)
	return c.without(p.refused), err
}

// learn notes that the server refuses the sound, and reports whether the picture can do without it.
func (p *Pusher) learn(c choice, err error) bool {
	var refusal interface{ RefusedKind() media.Kind }
	t, ok := media.First(c.tracks, media.Audio)
	if !ok || len(c.tracks) == 1 || !errors.As(err, &refusal) || refusal.RefusedKind() != media.Audio {
		return false
	}
	p.refused = t.Codec
	return true
}

// awaitSource waits until the stream has something that can be sent, and enough is known of it.
func (p *Pusher) awaitSource(ctx context.Context) (choice, error) {
	patient := true          // with pictures that are not known yet
	var due <-chan time.Time // when that ends; nil while nobody publishes
	for {
		changed := p.options.Stream.Changed()
		all := p.options.Stream.Renditions()
		c, err := p.choose(all)
		switch {
		case len(all) == 0:
			p.set(Status{State: StateIdle})
			patient, due = true, nil
		case patient && !settled(all):
			if due == nil {
				due = time.After(p.times.settle)
			}
		case err == nil:
			return c, nil
		default:
			p.fail(err)
		}
		select {
		case <-changed:
		case <-due:
			patient = false
		case <-ctx.Done():
			return choice{}, context.Cause(ctx)
		}
	}
}

// pause waits until the next try is due.
func (p *Pusher) pause(ctx context.Context, c choice, err error) {
	delay := p.backoff.Next(client.RetryAfter(err))
	final := client.IsFinal(err)
	if final {
		delay = max(delay, p.times.final)
	}
	due := time.NewTimer(delay)
	defer due.Stop()
	for {
		changed := p.options.Stream.Changed()
		if now, fault := p.choose(p.options.Stream.Renditions()); final && (fault != nil || !now.same(c)) {
			return
		}
		select {
		case <-due.C:
			return
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
