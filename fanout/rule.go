package fanout

import "sluice/negotiation"

// The reasons for which the fast way can't serve an offer.
const (
	SlowICELite     = "ice_lite"     // the viewer only answers checks: we would have to send them
	SlowDTLSPassive = "dtls_passive" // the viewer waits for our DTLS handshake
	SlowData        = "data_channel" // the offer has a data channel

	// SlowPublicAddress is for who finds the public address by STUN, whatever is offered: only checks that we send open
	// our NAT to a viewer, and the fast way sends none.
	SlowPublicAddress = "public_address"
)

// SlowReason says why an offer needs a PeerConnection; "": the fast way serves it (A59). Everything else works on the
// fast way: a responder needs no candidates of the viewer, so trickle is accepted and a viewer behind a TURN server
// of its own is an address like any other, and an ICE restart is a new user name of the same session.
func SlowReason(offer *negotiation.Offer) string {
	switch {
	case offer.ICELite:
		return SlowICELite
	case offer.Setup == "passive":
		return SlowDTLSPassive
	case offer.HasData():
		return SlowData
	}
	return ""
}
