package peer

import (
	"fmt"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
)

// Play answers a viewer's offer as the plan says and begins to connect. The caller closes the connection. Errors
// are those of negotiation.FinishAnswer, or tell of a defect of ours.
func (e *Engine) Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (*Connection, error) {
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
		if choice.Action.Sends() {
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

// OfferPlay offers to send the tracks, one of each kind, and begins to connect once Accept has the answer. A viewer is
// told of what it would be told in an answer; a server that we have come to, of the port for that. The caller closes
// the connection. It returns *UnsupportedCodecError for a codec that WebRTC has no payload format for.
func (e *Engine) OfferPlay(tracks []media.Track, o rtpout.PlayOptions) (*Connection, error) {
	codecs, err := offered(tracks)
	if err != nil {
		return nil, err
	}
	mux := e.mux
	if o.Outgoing {
		if mux, err = e.outgoingMux(); err != nil {
			return nil, err
		}
	}
	c, err := e.newConnection(mux, codecs, webrtc.DTLSRoleAuto, o)
	if err != nil {
		return nil, err
	}
	c.visited = !o.Outgoing
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

func (e *Engine) newConnection(mux *announcedMux, codecs *webrtc.MediaEngine, role webrtc.DTLSRole, o rtpout.PlayOptions) (*Connection, error) {
	playout := webrtc.RTPHeaderExtensionCapability{URI: negotiation.PlayoutDelay}
	if err := codecs.RegisterHeaderExtension(playout, webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverDirectionSendonly); err != nil {
		return nil, fmt.Errorf("register header extension %s: %w", negotiation.PlayoutDelay, err)
	}
	b := newBorder() // no RTP passes: a viewer sends reports alone
	settings := e.settings(mux, role, o.Loopback)
	settings.BufferFactory = b.buffer
	w := e.watched(&settings, mux)
	pc, err := e.newPeerConnection(codecs, &interceptor.Registry{}, settings, webrtc.ICETransportPolicyAll) // the player resends and reports
	if err != nil {
		return nil, err
	}
	c := &Connection{
		link: newLink(e, pc, mux, w, b, o.Loopback), total: o.Total,
		wake: make(waker, 1), feedback: make(chan feedback, feedbackQueue),
	}
	b.flood = c.floods
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
	c.tracks = append(c.tracks, out)
	if c.startReader() {
		go c.readFeedback(out, transceiver.Sender())
	}
	return nil
}
