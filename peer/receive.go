package peer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

const (
	nackWindow      = 1024                  // packets of a stream in which losses are asked for again
	nackInterval    = 20 * time.Millisecond // between two looks at what is missing
	nacksPerPacket  = 8                     // then a packet is given up
	receiveInterval = time.Second           // of receiver reports
	twccInterval    = 100 * time.Millisecond
)

// ReceiveOptions is what a receiving connection needs besides what was negotiated.
type ReceiveOptions struct {
	Loopback bool        // the peer is on this machine: loopback addresses are of use to it
	Outgoing bool        // the peer is a server that we have come to: it need not reach the port of all media
	Servers  []ICEServer // that the peer lets us use
	Dial     bool        // the peer's TCP candidates are dialled
	Relayed  bool        // media go through TURN servers alone
}

// Receive answers a publisher's offer as the plan says and begins to connect. The caller closes the Reception. Errors
// are those of negotiation.FinishAnswer, or tell of a defect of ours.
func (e *Engine) Receive(offer *negotiation.Offer, plan *negotiation.Plan, o ReceiveOptions) (*Reception, error) {
	codecs, err := planned(plan)
	if err != nil {
		return nil, err
	}
	if err = registerExtensions(codecs); err != nil {
		return nil, err
	}
	mux := e.mux
	if o.Outgoing {
		if mux, err = e.outgoingMux(); err != nil {
			return nil, err
		}
	}
	r, err := e.newReception(mux, codecs, clientRole(offer), o)
	if err != nil {
		return nil, err
	}
	r.plan, r.offer = plan, offer
	for _, choice := range plan.Sections {
		if choice.Action == negotiation.Passthrough {
			r.choices[choice.Kind] = choice
			r.firOnly = r.firOnly || choice.Kind == media.Video && firOnly(choice.Format.Feedback)
			r.allow(offer, choice)
		}
	}
	answer, err := "", r.useServers(o.Servers)
	if err == nil {
		answer, err = r.answerTo(offer)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	r.describe(answer)
	return r, nil
}

// OfferReceive offers to receive one video and one audio track, of any codec that we can take, and begins to connect
// once Accept has the answer. The caller closes the Reception.
func (e *Engine) OfferReceive(o ReceiveOptions) (*Reception, error) {
	codecs, err := offeredToReceive()
	if err != nil {
		return nil, err
	}
	mux, err := e.outgoingMux()
	if err != nil {
		return nil, err
	}
	r, err := e.newReception(mux, codecs, webrtc.DTLSRoleAuto, o)
	if err != nil {
		return nil, err
	}
	for _, kind := range []media.Kind{media.Audio, media.Video} {
		_, err = r.pc.AddTransceiverFromKind(codecType(kind), webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			break
		}
		r.border.allow(streamsPerSection, receivable[kind]...)
	}
	if err == nil {
		err = r.makeOffer()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (e *Engine) newReception(mux *announcedMux, codecs *webrtc.MediaEngine, role webrtc.DTLSRole, o ReceiveOptions) (*Reception, error) {
	interceptors, err := receiving()
	if err != nil {
		return nil, err
	}
	b := newBorder()
	settings := e.settings(mux, role, o.Loopback)
	settings.BufferFactory = b.buffer
	if o.Dial {
		dialTCP(&settings)
	}
	w := e.watched(&settings, mux)
	policy := webrtc.ICETransportPolicyAll
	if o.Relayed {
		policy = webrtc.ICETransportPolicyRelay
		settings.SetRelayAcceptanceMinWait(0) // nothing better will come
	}
	pc, err := e.newPeerConnection(codecs, interceptors, settings, policy)
	if err != nil {
		return nil, err
	}
	r := &Reception{
		link: newLink(e, pc, mux, w, b, o.Loopback), choices: make(map[media.Kind]negotiation.Choice), ssrc: rand.Uint32(),
		arrivals: make(chan arrival, arrivalQueue), over: make(chan struct{}), incoming: make(map[incomingKey]*incoming),
	}
	r.dial = o.Dial
	b.flood = r.floods
	r.steps.Store(1)
	pc.OnConnectionStateChange(r.onState)
	pc.OnICEConnectionStateChange(r.onICEState)
	pc.OnTrack(r.onTrack)
	return r, nil
}

// allow lets the streams of one section in: its layers, or one with what browsers send by mistake.
func (r *Reception) allow(offer *negotiation.Offer, c negotiation.Choice) {
	streams := streamsPerSection
	if s, ok := offer.Section(c.MID); ok {
		streams = max(streams, 2*len(s.RIDs))
	}
	r.border.allow(streams, payload{number: c.Format.PayloadType, rtx: c.Format.RTX})
}

// receiving asks for what is lost, reports what has come, and tells browsers' bandwidth estimators when.
func receiving() (*interceptor.Registry, error) {
	resends, err := nack.NewGeneratorInterceptor(nack.GeneratorSize(nackWindow), nack.GeneratorInterval(nackInterval),
		nack.GeneratorMaxNacksPerPacket(nacksPerPacket))
	if err != nil {
		return nil, fmt.Errorf("make the loss detector: %w", err)
	}
	reports, err := report.NewReceiverInterceptor(report.ReceiverInterval(receiveInterval))
	if err != nil {
		return nil, fmt.Errorf("make the receiver reports: %w", err)
	}
	feedback, err := twcc.NewSenderInterceptor(twcc.SendInterval(twccInterval))
	if err != nil {
		return nil, fmt.Errorf("make the transport feedback: %w", err)
	}
	registry := &interceptor.Registry{}
	registry.Add(resends)
	registry.Add(reports)
	registry.Add(feedback)
	return registry, nil
}

// firOnly reports whether a picture's sender takes keyframe requests as FIR alone.
func firOnly(feedback []string) bool {
	return !slices.Contains(feedback, "nack pli") && slices.Contains(feedback, "ccm fir")
}
