package push

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sluice/hub"
	"sluice/peer"
	"sluice/rtpout"
	"sluice/signalling/client/call"
	"sluice/transport"
)

// Reasons for which a session ends that are no fault of the server.
var (
	errSourceGone    = errors.New("the stream is not published any more")
	errSourceChanged = errors.New("the source has changed, which takes a new session")
)

func blamesSource(err error) bool {
	return errors.Is(err, errSourceGone) || errors.Is(err, errSourceChanged) || errors.As(err, new(*UnfitError))
}

// stay is one session at the server. All its fields belong to the goroutine that runs it.
type stay struct {
	pusher     *Pusher
	connection *peer.Connection
	call       *call.Call
	offered    choice
	now        choice // of what is offered, what the source sends now

	subscriber *hub.Subscriber // of the connection; nil before it is connected
	began      time.Time       // when it was connected
	gone       *time.Timer     // runs while nobody publishes
	absent     bool            // nobody publishes
}

// send makes a session and sends until it ends, and returns why.
func (p *Pusher) send(ctx context.Context, c choice) error {
	p.set(Status{State: StateConnecting, Error: p.told, Rendition: c.rendition, Note: c.note})
	connection, err := p.options.Engine.OfferPlay(c.tracks, rtpout.PlayOptions{
		Loopback: p.client.Loopback(), Outgoing: true, Total: &p.total,
	})
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	session, err := p.client.Post(ctx, connection.Description())
	if err != nil {
		connection.Close()
		return err
	}
	k := call.New(session, connection, p.options.Log)
	defer k.End(ctx)
	if err := k.Accept(); err != nil {
		return fmt.Errorf("use the answer of %s: %w", p.client.Host(), err)
	}
	return p.keep(ctx, k, &stay{pusher: p, connection: connection, call: k, offered: c, now: c})
}

// keep runs a stay and its call, until either ends.
func (p *Pusher) keep(ctx context.Context, k *call.Call, s *stay) error {
	ctx, stop := context.WithCancelCause(ctx)
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := k.Run(ctx); err != nil {
			stop(err)
		}
	})
	err := s.run(ctx)
	stop(err)
	parts.Wait()
	if blamesSource(err) {
		return err
	}
	return fmt.Errorf("push to %s: %w", p.client.Host(), err)
}

// run has the connection send what the hub has and looks after the source, until something ends the session.
func (s *stay) run(ctx context.Context) error {
	limit := time.NewTimer(s.pusher.times.connect)
	defer limit.Stop()
	s.gone = time.NewTimer(time.Hour)
	defer s.gone.Stop()
	defer s.end()
	connected := s.connection.Connected()
	changed, err := s.look()
	for err == nil {
		select {
		case <-changed:
			changed, err = s.look()
		case <-connected:
			connected = nil
			limit.Stop()
			err = s.begin()
		case <-limit.C:
			err = &transport.UnreachableError{}
		case <-s.gone.C:
			err = errSourceGone
		case <-s.connection.Disconnected():
			s.call.Restart() // if the server can't, the consent timeout decides (C7)
		case <-s.connection.Done():
			err = s.connection.Err()
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return err
}

// look sees what the source sends now, and has it sent if the session is made for it. It returns when to look again.
func (s *stay) look() (changed <-chan struct{}, err error) {
	stream := s.pusher.options.Stream
	changed = stream.Changed()
	c, err := s.pusher.choose(stream.Renditions())
	absent := errors.Is(err, errUnpublished)
	if !absent {
		s.gone.Stop()
	} else if !s.absent {
		s.gone.Reset(s.pusher.times.gone)
	}
	s.absent = absent
	switch {
	case absent:
		return changed, nil
	case err != nil:
		return changed, err
	case !s.offered.covers(c):
		return changed, errSourceChanged
	}
	if c.rendition != s.now.rendition && s.subscriber != nil {
		s.subscriber.SelectRendition(c.rendition)
		s.pusher.set(Status{State: StateConnected, Rendition: c.rendition, Note: c.note})
	}
	s.now = c
	return changed, nil
}

// begin starts at the next keyframe, as viewers do: a whole GOP at once would be more than servers take in so short
// a time.
func (s *stay) begin() error {
	sub, err := s.connection.Start(rtpout.Feed{
		Stream: s.pusher.options.Stream, Rendition: s.now.rendition, Start: hub.StartKeyframe,
	})
	if err != nil {
		return err
	}
	sub.Forward()
	s.subscriber, s.began = sub, time.Now()
	s.pusher.works(s.now, s.connection.RemoteAddress())
	return nil
}

func (s *stay) end() {
	if s.subscriber != nil {
		s.pusher.backoff.Worked(time.Since(s.began))
	}
}
