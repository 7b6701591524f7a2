package peer

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"sluice/negotiation"
	"sluice/transport"
)

// newPeerConnection makes a PeerConnection that knows the given payloads only, so that its SDP can name no other.
func (e *Engine) newPeerConnection(codecs *webrtc.MediaEngine, interceptors *interceptor.Registry, s webrtc.SettingEngine, policy webrtc.ICETransportPolicy) (*webrtc.PeerConnection, error) {
	api := webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(interceptors))
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{e.certificate},
		BundlePolicy: webrtc.BundlePolicyMaxBundle, ICETransportPolicy: policy,
	})
	if err != nil {
		return nil, fmt.Errorf("make a connection: %w", err)
	}
	return pc, nil
}

// clientRole is the DTLS role of an answer: server, unless the peer insists on that.
func clientRole(offer *negotiation.Offer) webrtc.DTLSRole {
	if offer.Setup == "passive" {
		return webrtc.DTLSRoleClient
	}
	return webrtc.DTLSRoleServer
}

// settings is what all connections have in common. role is that of an answer; DTLSRoleAuto for an offer.
func (e *Engine) settings(mux *announcedMux, role webrtc.DTLSRole, loopback bool) webrtc.SettingEngine {
	s := webrtc.SettingEngine{LoggerFactory: e.loggers}
	s.SetICEUDPMux(mux)
	networks := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if e.streams != nil && mux == e.mux {
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
		s.SetICETCPMux(e.streams)
	}
	s.SetNetworkTypes(networks)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetRemoteIPFilter(func(ip net.IP) bool { return e.mayTry(ip, mux, loopback) })
	s.DisableActiveTCP(true)
	s.SetICETimeouts(e.silence.disconnected, e.silence.failed, e.silence.keepalive)
	s.SetSRTPProtectionProfiles(transport.SRTPProfiles[dtls.SRTPProtectionProfile]()...)
	s.SetDTLSInsecureSkipHelloVerify(true) // ICE has proved the address already
	if role != webrtc.DTLSRoleAuto {
		_ = s.SetAnsweringDTLSRole(role) // fails for other roles only
	}
	return s
}

// mayTry says whether checks may go to an address, be it a peer's candidate or where its own checks come from (I22).
// Candidates of private networks have been sorted out before; who comes from one, as a relay on this machine does,
// has been let in there.
func (e *Engine) mayTry(ip net.IP, mux *announcedMux, loopback bool) bool {
	a, ok := netip.AddrFromSlice(ip)
	if !ok {
		return false
	}
	policy := e.policy(mux, loopback)
	policy.DenyPrivate = false
	return policy.AllowsAddr(a)
}

// policy says which of a peer's candidates are tried.
func (e *Engine) policy(mux *announcedMux, loopback bool) negotiation.CandidatePolicy {
	return negotiation.CandidatePolicy{
		Loopback: e.loopbackHelps(mux, loopback), DenyPrivate: e.options.DenyPrivateRemote,
		Refuse: func(a netip.AddrPort) bool { return a.Port() == mux.local.Port() && mux.hosts.Owns(a.Addr()) },
	}
}

// loopbackHelps reports whether checks may go to loopback addresses: to a port of ours that is itself on loopback,
// or to the server on this machine that the configuration names.
func (e *Engine) loopbackHelps(mux *announcedMux, loopback bool) bool {
	return mux.local.Addr().IsLoopback() || mux != e.mux && loopback
}

// candidates says which of a peer's candidates are tried.
func (l *link) candidates() negotiation.CandidatePolicy {
	policy := l.engine.policy(l.mux, l.loopback)
	policy.Dial = l.dial
	return policy
}

// dialTCP has TCP candidates of the peer connected to (RFC 6544 5.2), which a gateway does for nobody.
func dialTCP(s *webrtc.SettingEngine) {
	s.SetNetworkTypes([]webrtc.NetworkType{
		webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6,
	})
	s.DisableActiveTCP(false)
}
