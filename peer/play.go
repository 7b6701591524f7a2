package peer

import (
	"fmt"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

// resendBuffer is how many packets of a track are kept for resends: about a second of 5 Mbit/s.
const resendBuffer = 512

// PlayOptions is what a sending connection needs besides what was negotiated.
type PlayOptions struct {
	Loopback          bool      // the peer is on this machine: loopback addresses are of use to it
	OnKeyframeRequest func()    // called from the connection's goroutines when the peer wants a keyframe; must not close it; nil: nobody
	Total             *Counters // counts along with the connection's own; nil: none
}

// Play answers a viewer's offer as the plan says and begins to connect. The caller closes the connection. Errors
// are those of negotiation.FinishAnswer, or tell of a defect of ours.
func (e *Engine) Play(offer *negotiation.Offer, plan *negotiation.Plan, o PlayOptions) (*Connection, error) {
	codecs, err := planned(plan)
	if err != nil {
		return nil, err
	}
	c, err := e.newConnection(e.mux, codecs, clientRole(offer), o)
	if err != nil {
		return nil, err
	}
	c.plan, c.offer = plan, offer
	if err := c.answerViewer(plan); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Connection) answerViewer(plan *negotiation.Plan) error {
	var tracks []media.Track
	for _, choice := range plan.Sections {
		if choice.Action == negotiation.Passthrough {
			tracks = append(tracks, choice.Track)
		}
	}
	if err := c.addTracks(tracks); err != nil {
		return err
	}
	answer, err := c.answerTo(c.offer)
	if err != nil {
		return err
	}
	c.describe(answer)
	return nil
}

// OfferPlay offers to send the tracks, one of each kind, and begins to connect once Accept has the answer. The
// caller closes the connection. It returns *UnsupportedCodecError for a codec that WebRTC has no payload format for.
func (e *Engine) OfferPlay(tracks []media.Track, o PlayOptions) (*Connection, error) {
	codecs, err := offered(tracks)
	if err != nil {
		return nil, err
	}
	mux, err := e.outgoingMux()
	if err != nil {
		return nil, err
	}
	c, err := e.newConnection(mux, codecs, webrtc.DTLSRoleAuto, o)
	if err != nil {
		return nil, err
	}
	err = c.addTracks(tracks)
	if err == nil {
		err = c.makeOffer()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (e *Engine) newConnection(mux *announcedMux, codecs *webrtc.MediaEngine, role webrtc.DTLSRole, o PlayOptions) (*Connection, error) {
	resends, err := nack.NewResponderInterceptor(nack.ResponderSize(resendBuffer))
	if err != nil {
		return nil, fmt.Errorf("make the resend buffer: %w", err)
	}
	budget := &resendBudget{}
	interceptors := &interceptor.Registry{}
	interceptors.Add(budget) // the first is the one beside the wire
	interceptors.Add(resends)
	b := newBorder() // no RTP passes: a viewer sends reports alone
	settings := e.settings(mux, role, o.Loopback)
	settings.BufferFactory = b.buffer
	pc, err := e.newPeerConnection(codecs, interceptors, settings)
	if err != nil {
		return nil, err
	}
	if o.OnKeyframeRequest == nil {
		o.OnKeyframeRequest = func() {}
	}
	if o.Total == nil {
		o.Total = &Counters{}
	}
	c := &Connection{
		link: newLink(e, pc, mux, b, o.Loopback), tracks: make(map[string]*outgoing), onKeyframe: o.OnKeyframeRequest, total: o.Total,
	}
	b.flood = c.floods
	budget.refused = c.refuseResend
	c.steps.Store(1)
	pc.OnConnectionStateChange(c.onState)
	pc.OnICEConnectionStateChange(c.onICEState)
	return c, nil
}

func (c *Connection) addTracks(tracks []media.Track) error {
	c.steps.Add(int32(len(tracks)))
	for _, t := range tracks {
		if err := c.addTrack(t); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connection) addTrack(t media.Track) error {
	out := &outgoing{connection: c, track: t}
	transceiver, err := c.pc.AddTransceiverFromTrack(out, webrtc.RTPTransceiverInit{
		Direction: webrtc.RTPTransceiverDirectionSendonly,
	})
	if err != nil {
		return fmt.Errorf("add track %s: %w", t.ID, err)
	}
	c.tracks[t.ID] = out
	if c.startReader() {
		go c.readFeedback(transceiver.Sender())
	}
	return nil
}
