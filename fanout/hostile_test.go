package fanout

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"sluice/negotiation"
	"sluice/transport"
)

// J112: the certificate that the viewer shows is not the one of its offer.
func TestWrongCertificateGetsNoMedia(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.cert = newCertificate(t)
	v.check(nominate())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := v.shake(ctx); err == nil {
		t.Error("the handshake went through")
	}
	await(t, v.session.Done(), "over")
	if err := v.session.Err(); !errors.As(err, new(*transport.HandshakeError)) {
		t.Errorf("ended with %v", err)
	}
	if v.hasMedia() {
		t.Error("media were sent")
	}
}

// J92: a right user name and a wrong password change nothing, however often they come; J90 is in stun_test.go.
func TestWrongPasswordChangesNothing(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	thief := newRawFoot(t, v)
	const tries = 100_000
	forged := thief.request("not the password at all", nominate())
	for i := range tries {
		thief.send(forged)
		if i%1000 == 0 {
			v.awaitMedia("while somebody guesses")
		}
	}
	eventually(t, "counted", func() bool { return h.Stats().FailedCheck > 0 })
	if len(thief.stun) > 0 || thief.hasMedia() {
		t.Error("somebody who does not know the password was answered")
	}
	if got, want := v.session.RemoteAddress(), v.conn.LocalAddr().String(); got != want {
		t.Errorf("media go to %s, want %s", got, want)
	}
}

// newRawFoot is the same viewer's knowledge at another address.
func newRawFoot(t testing.TB, v *rawViewer) *rawViewer {
	other := *v
	other.foot = newFoot(t)
	return &other
}

// J91: a flood of checks for nobody.
func TestFloodOfChecksLeavesSessionsAlive(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	stranger := newRawFoot(t, v)
	stranger.theirs = credentials{ufrag: "theirs00", remoteUfrag: "nobodys0"}
	flood := stranger.request("whatever it is, it is long enough")
	for i := range 50_000 {
		stranger.send(flood)
		if i%1000 == 0 {
			v.awaitMedia("during the flood")
		}
	}
	eventually(t, "was a check answered", func() bool { // the socket may still be full
		v.send(v.request(v.theirs.remotePwd))
		return len(v.stun) > 0
	})
}

// Only a nominated check moves the media.
func TestOnlyANominationMovesTheMedia(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	moved := newRawFoot(t, v)
	moved.check()
	if got, want := v.session.RemoteAddress(), v.conn.LocalAddr().String(); got != want {
		t.Errorf("a check without nomination moved the media to %s", got)
	}
	moved.check(nominate())
	if got, want := v.session.RemoteAddress(), moved.conn.LocalAddr().String(); got != want {
		t.Errorf("media go to %s, want %s", got, want)
	}
	moved.awaitMedia("at the new address")
}

// J95: nominations of two addresses take turns.
func TestFlappingNominationsKeepTheMediaGoing(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	other := newRawFoot(t, v)
	for range 100 {
		other.check(nominate())
		v.check(nominate())
	}
	v.awaitMedia("after the flapping")
	for range 3 * pathsPerSession { // more addresses than are remembered
		newRawFoot(t, v).check()
	}
	v.awaitMedia("after checks from everywhere")
	h.table.mu.RLock()
	defer h.table.mu.RUnlock()
	if n := len(h.table.byPath); n > pathsPerSession {
		t.Errorf("%d addresses are remembered", n)
	}
}

// J110, J111, J113: what is not sealed, is sealed by another key, or came before is dropped and counted.
func TestFeedbackThatIsNotTheViewersIsDropped(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	pli := &rtcp.PictureLossIndication{MediaSSRC: v.session.outgoing[0].SSRC}
	plain, err := pli.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	v.send(plain)
	eventually(t, "forged counted", func() bool { return h.Stats().Forged == 1 })
	sealed := v.sealed(pli)
	v.send(sealed)
	v.send(sealed)
	eventually(t, "replay counted", func() bool { return h.Stats().Replayed == 1 })
	v.send([]byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}) // plain RTP
	v.send([]byte{0x00, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}) // of version 0
	v.awaitMedia("after what is not the viewer's")
}

// J112: a thousand ClientHellos from one viewer make one handshake.
func TestManyClientHellosMakeOneHandshake(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.check(nominate())
	hello := append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1}, make([]byte, 49)...)
	for range 1000 {
		v.send(hello)
	}
	if n := h.Stats().Handshakes; n > 1 {
		t.Errorf("%d handshakes are under way for one viewer", n)
	}
}

// DTLS from an address without an authentic check is nobody's: it would make us answer somebody with more than he sent.
func TestNoHandshakeBeforeACheck(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	before := h.port.Stats().Sent.Datagrams
	hello := append([]byte{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1}, make([]byte, 49)...)
	for range 100 {
		v.send(hello)
	}
	v.check() // answered after them
	if sent := h.port.Stats().Sent.Datagrams - before; sent > 1 {
		t.Errorf("%d datagrams were sent to who had proved nothing", sent-1)
	}
}

// A80, RFC 7675 5.1: a viewer who vanishes without a word.
func TestVanishedViewerIsGoneAfterTheConsentTimeout(t *testing.T) {
	h := newHouse(t, Options{ConsentTimeout: 5 * time.Second})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	await(t, v.session.Done(), "over")
	var gone *transport.UnreachableError
	if err := v.session.Err(); !errors.As(err, &gone) || !gone.WasConnected {
		t.Errorf("ended with %v", err)
	}
}

// A80: reports are a sign of life, of a viewer who answers and sends no checks any more.
func TestReportsAreASignOfLife(t *testing.T) {
	h := newHouse(t, Options{ConsentTimeout: 5 * time.Second})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(7 * time.Second); ; {
		select {
		case <-tick.C:
			v.send(v.sealed(&rtcp.ReceiverReport{SSRC: 1}))
			continue
		case <-v.session.Done():
			t.Fatalf("ended with %v", v.session.Err())
		case <-end:
		}
		return
	}
}

// A73, A75: after a restart the viewer comes by new credentials and from another address, and media never stop.
func TestRestartKeepsTheMediaGoing(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	old := *v
	fresh := newCredentials("", "")
	ours, err := v.session.Restart(&negotiation.Fragment{ICEUfrag: fresh.ufrag, ICEPwd: fresh.pwd})
	if err != nil {
		t.Fatal(err)
	}
	if ours.ICEUfrag == old.theirs.remoteUfrag || len(ours.Candidates) == 0 || !ours.ICELite {
		t.Errorf("our side of the restart is %+v", ours)
	}
	v.awaitMedia("before the viewer comes by its new name")
	v.theirs = fresh
	v.learn()
	moved := newRawFoot(t, v)
	moved.check(nominate())
	moved.awaitMedia("at the new address")
	old.send(old.request(old.theirs.remotePwd, nominate()))
	moved.check() // answered after it
	if len(old.stun) > 0 {
		t.Error("the old generation was answered after the new one had been used")
	}
}

func TestUnknownDatagramsAreForOthers(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	v.check()
	stranger := transport.Path{Remote: netip.MustParseAddrPort("127.0.0.1:9")}
	for name, data := range map[string][]byte{
		"a check of somebody else": newStrangersCheck(), "DTLS": {22, 254, 253}, "RTP": {0x80, 96, 0, 0}, "nothing": {},
	} {
		if h.Receive(data, stranger) {
			t.Errorf("%s from a stranger was taken", name)
		}
	}
}

func newStrangersCheck() []byte {
	return stun.MustBuild(stun.BindingRequest, stun.TransactionID, stun.NewUsername("a:b"), stun.Fingerprint).Raw
}
