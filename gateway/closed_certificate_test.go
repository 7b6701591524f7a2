//go:build !race

package gateway_test

import "testing"

// J112, once more with authorisation on: a publisher whose certificate is not the one of its offer is not listened to.
// pion's GetStats reads a field, always nil here, that its Close writes after a handshake that failed: that harms nobody,
// but the race detector tells of it.
func TestPublisherWithAnotherCertificateAtAClosedGateway(t *testing.T) {
	w, p := newWatched(t, "", "strict"), newRawPeer(t, "sendonly", "")
	w.keepsOut(t, "POST", "/room-1/whip", p.offer)
	p.join(t, w, "/room-1/whip")
	anotherCertificate(t, w, p)
	w.goesOn(t)
}
