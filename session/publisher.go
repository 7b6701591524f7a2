package session

import (
	"context"

	"sluice/negotiation"
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

func (p *publisher) work() []func(ctx context.Context) error {
	return []func(ctx context.Context) error{p.run, p.yield}
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

// yield ends the session when a newer one takes over.
func (p *publisher) yield(ctx context.Context) error {
	select {
	case <-p.claim.replaced:
		return ErrReplaced
	case <-ctx.Done():
		return ctx.Err()
	}
}
