package session

import (
	"context"
	"sync"
	"time"

	"sluice/negotiation"
	"sluice/transport"
)

// publisher is the part of a session that receives.
type publisher struct {
	session  *Session           // fixed
	receiver Receiver           // fixed
	offer    *negotiation.Offer // fixed
	plan     *negotiation.Plan  // fixed
	claim    *claim             // fixed; given up by run
}

func (p *publisher) role() Role { return RolePublish }

func (p *publisher) describe(i *Info) { i.Choices, i.Received = p.plan.Sections, p.receiver.Stats() }

// live receives on the session's own goroutine, beside one that keeps the connection.
func (p *publisher) live(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		p.session.end(p.keep())
		cancel()
	})
	err := p.run(ctx)
	p.session.end(err)
	keeper.Wait()
	return err
}

// keep returns when the connection does not come about, or is over; when a newer publisher takes over; or nil when the
// session has ended.
func (p *publisher) keep() error {
	limit := time.NewTimer(p.session.manager.options().ICETimeout)
	defer limit.Stop()
	connected := p.receiver.Connected()
	for {
		select {
		case <-connected:
			connected = nil
			limit.Stop()
			p.session.stay.place.connected()
		case <-limit.C:
			return &transport.UnreachableError{}
		case <-p.receiver.Done():
			return p.receiver.Err()
		case <-p.claim.replaced:
			return ErrReplaced
		case <-p.session.ending:
			return nil
		}
	}
}

// run publishes what comes, once it is connected and whoever published before has let go of the stream.
func (p *publisher) run(ctx context.Context) error {
	desk := p.session.manager.desk
	defer desk.leave(p.claim)
	select {
	case <-p.receiver.Connected():
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, left := range desk.take(p.claim) {
		select {
		case <-left:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.session.connected()
	layers := newLayers(p.session.stay.stream, p.offer, p.plan)
	layers.ask, layers.fail = p.receiver.RequestKeyframe, p.session.end
	defer layers.close()
	return p.receiver.Run(ctx, layers)
}
