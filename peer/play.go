package peer

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/webrtc/v4"

	"sluice/media"
	"sluice/negotiation"
)

// resendBuffer is how many packets of a track are kept for resends: about a second of 5 Mbit/s.
const resendBuffer = 512

// PlayOptions is what a viewer's connection needs besides its offer and plan.
type PlayOptions struct {
	Loopback          bool      // the viewer is on this machine: loopback addresses are of use to it
	OnKeyframeRequest func()    // called from the connection's goroutines when the viewer wants a keyframe; nil: nobody
	Total             *Counters // counts along with the connection's own; nil: none
}

// Play answers a viewer's offer as the plan says and begins to connect. The caller closes the connection. Errors
// are those of negotiation.FinishAnswer, or tell of a defect of ours.
func (e *Engine) Play(offer *negotiation.Offer, plan *negotiation.Plan, o PlayOptions) (*Connection, error) {
	api, err := e.api(offer, plan)
	if err != nil {
		return nil, err
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{e.certificate},
		BundlePolicy: webrtc.BundlePolicyMaxBundle,
	})
	if err != nil {
		return nil, fmt.Errorf("make a connection: %w", err)
	}
	if o.OnKeyframeRequest == nil {
		o.OnKeyframeRequest = func() {}
	}
	if o.Total == nil {
		o.Total = &Counters{}
	}
	c := &Connection{
		pc: pc, tracks: make(map[string]*outgoing), onKeyframe: o.OnKeyframeRequest, total: o.Total,
		connected: make(chan struct{}), done: make(chan struct{}),
	}
	if err := e.negotiate(c, offer, plan, o); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (e *Engine) negotiate(c *Connection, offer *negotiation.Offer, plan *negotiation.Plan, o PlayOptions) error {
	c.steps.Store(1)
	for _, choice := range plan.Sections {
		if choice.Action == negotiation.Passthrough {
			c.steps.Add(1)
		}
	}
	c.pc.OnConnectionStateChange(c.onState)
	for _, choice := range plan.Sections {
		if choice.Action != negotiation.Passthrough {
			continue
		}
		if err := c.addTrack(choice.Track); err != nil {
			return err
		}
	}
	answer, err := c.describe(offer.Normalised())
	if err != nil {
		return err
	}
	c.answer, err = negotiation.FinishAnswer(e.announceHosts(answer), offer, negotiation.AnswerOptions{
		Plan: plan, StreamID: streamID, Loopback: o.Loopback,
	})
	if err != nil {
		return fmt.Errorf("finish the answer: %w", err)
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
	c.readers.Add(1)
	go c.readFeedback(transceiver.Sender())
	return nil
}

// describe runs the offer through pion. Our candidates are known at once: nothing is waited for but their listing.
func (c *Connection) describe(offer string) (string, error) {
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", fmt.Errorf("apply the offer: %w", err)
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("make an answer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("apply the answer: %w", err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP, nil
}

// api makes pion know the chosen payloads only, so that its answer can name no other.
func (e *Engine) api(offer *negotiation.Offer, plan *negotiation.Plan) (*webrtc.API, error) {
	codecs := &webrtc.MediaEngine{}
	for _, choice := range plan.Sections {
		if choice.Action == negotiation.Disabled {
			continue
		}
		if err := registerFormat(codecs, choice); err != nil {
			return nil, fmt.Errorf("register %s: %w", choice.Format.Name, err)
		}
	}
	settings, err := e.settings(offer)
	if err != nil {
		return nil, err
	}
	resends, err := nack.NewResponderInterceptor(nack.ResponderSize(resendBuffer))
	if err != nil {
		return nil, fmt.Errorf("make the resend buffer: %w", err)
	}
	interceptors := &interceptor.Registry{}
	interceptors.Add(resends)
	return webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(interceptors)), nil
}

func (e *Engine) settings(offer *negotiation.Offer) (webrtc.SettingEngine, error) {
	s := webrtc.SettingEngine{LoggerFactory: e.loggers}
	s.SetICEUDPMux(e.mux)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetRemoteIPFilter(e.mayTry)
	s.DisableActiveTCP(true)
	s.SetICETimeouts(e.silence.disconnected, e.silence.failed, e.silence.keepalive)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	s.SetDTLSInsecureSkipHelloVerify(true) // ICE has proved the address already
	role := webrtc.DTLSRoleServer
	if offer.Setup == "passive" {
		role = webrtc.DTLSRoleClient
	}
	if err := s.SetAnsweringDTLSRole(role); err != nil {
		return s, fmt.Errorf("choose the DTLS role: %w", err)
	}
	return s, nil
}

// mayTry says whether a peer's candidate address is tried (I22).
func (e *Engine) mayTry(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	a = a.Unmap()
	if !ok || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	return !a.IsLoopback() || e.mux.local.Addr().IsLoopback()
}
