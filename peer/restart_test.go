package peer

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"sluice/negotiation"
)

// restart has the publisher restart ICE as a browser does: a new offer of which only the fragment travels.
func (p *publisher) restart(t *testing.T, answer func(*negotiation.Fragment) (*negotiation.Fragment, error), old string) string {
	t.Helper()
	offer, err := p.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-webrtc.GatheringCompletePromise(p.PeerConnection)
	f, err := negotiation.ParseFragment(fragmentText(p.LocalDescription().SDP))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := answer(f)
	if err != nil {
		t.Fatal(err)
	}
	return swap(old, theirs)
}

// fragmentText is the fragment that says what an SDP says of ICE.
func fragmentText(sdp string) string {
	var b strings.Builder
	for _, key := range []string{"ice-ufrag", "ice-pwd"} {
		b.WriteString("a=" + key + ":" + values(sdp, key)[0] + "\r\n")
	}
	b.WriteString("m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n")
	for _, c := range values(sdp, "candidate") {
		b.WriteString("a=candidate:" + c + "\r\n")
	}
	return b.String() + "a=end-of-candidates\r\n"
}

// swap puts what a fragment says in place of what an SDP says of ICE.
func swap(sdp string, f *negotiation.Fragment) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(sdp, "\r\n"), "\r\n") {
		switch {
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			line = "a=ice-ufrag:" + f.ICEUfrag
		case strings.HasPrefix(line, "a=ice-pwd:"):
			line = "a=ice-pwd:" + f.ICEPwd
		case strings.HasPrefix(line, "a=candidate:"):
			continue
		case line == "a=end-of-candidates":
			for _, c := range f.Values() {
				lines = append(lines, "a=candidate:"+c)
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// A73, A75: a publisher restarts ICE twice and its units go on coming.
func TestRestart(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	r := receive(t, e, p.offer(t))
	run(t, r, g)
	p.accept(t, r.Description())
	await(t, r.Connected(), "connected")
	p.publishUntil(t, g, "/video")
	before := r.Description()
	for range 2 {
		answer := p.restart(t, r.Restart, before)
		if answer == before || values(answer, "ice-ufrag")[0] == values(before, "ice-ufrag")[0] {
			t.Fatalf("our side of ICE has not changed:\n%s", answer)
		}
		before = answer
		p.accept(t, answer)
		g.forget()
		p.publishUntil(t, g, "/video", "/audio")
	}
}

// C7, B6: what we have offered is restarted as well, by us and by whoever answered.
func TestRestartOfOurOffer(t *testing.T) {
	e := newEngine(t, Options{})
	p, g := newPublisher(t), newGathering()
	r, err := e.OfferReceive(ReceiveOptions{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	run(t, r, g)
	answer := p.answer(t, r.Description())
	if err := r.Accept(answer, nil); err != nil {
		t.Fatal(err)
	}
	await(t, r.Connected(), "connected")
	p.publishUntil(t, g, "/video", "/audio")

	ours, err := r.RestartOffer()
	if err != nil {
		t.Fatal(err)
	}
	answer = p.answer(t, swap(r.Description()+"a=end-of-candidates\r\n", ours))
	f, err := negotiation.ParseFragment(fragmentText(answer))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.AcceptRestart(f); err != nil {
		t.Fatal(err)
	}
	g.forget()
	p.publishUntil(t, g, "/video", "/audio")
}

func (p *publisher) answer(t *testing.T, offer string) string {
	t.Helper()
	if err := p.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatal(err)
	}
	answer, err := p.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-webrtc.GatheringCompletePromise(p.PeerConnection)
	return p.LocalDescription().SDP
}

// A73, A79: twenty restarts in a row leave nothing, and media flow after each; candidates may come at any time.
func TestManyRestarts(t *testing.T) {
	e, p, g := newEngine(t, Options{}), newPublisher(t), newGathering()
	r := receive(t, e, p.offer(t))
	run(t, r, g)
	answer := r.Description()
	p.accept(t, answer)
	await(t, r.Connected(), "connected")
	p.publishUntil(t, g, "/video")
	var goroutines, files int
	for i := range 20 {
		r.AddCandidates(values(p.LocalDescription().SDP, "candidate"))
		answer = p.restart(t, r.Restart, answer)
		r.AddCandidates(values(p.LocalDescription().SDP, "candidate"))
		p.accept(t, answer)
		g.forget()
		p.publishUntil(t, g, "/video", "/audio")
		if i == 0 {
			goroutines, files = runtime.NumGoroutine(), openFiles(t)
		}
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines+5 || openFiles(t) > files+2; {
		if time.Now().After(end) {
			t.Fatalf("goroutines: %d after the first, %d after the last; files: %d and %d", goroutines, runtime.NumGoroutine(), files, openFiles(t))
		}
		<-time.After(20 * time.Millisecond)
	}
}

// A79: whatever is going on when a connection is closed comes to an end, and what is asked of it later is refused.
func TestCloseDuringEverything(t *testing.T) {
	e := newEngine(t, Options{})
	for range 10 {
		p := newPublisher(t)
		r := receive(t, e, p.offer(t))
		p.accept(t, r.Description())
		offer, err := p.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
		if err != nil {
			t.Fatal(err)
		}
		f, err := negotiation.ParseFragment(fragmentText(offer.SDP))
		if err != nil {
			t.Fatal(err)
		}
		var busy sync.WaitGroup
		for _, work := range []func(){
			func() { _, _ = r.Restart(f) },
			func() { r.AddCandidates(values(p.LocalDescription().SDP, "candidate")) },
			func() { r.RequestKeyframe("") },
			func() { _ = r.LateCandidates(t.Context()) },
			func() { _ = r.Run(t.Context(), newGathering()) },
			r.Close, r.Close,
		} {
			busy.Go(work)
		}
		busy.Wait()
		await(t, r.Done(), "over")
		if _, err := r.Restart(f); err == nil {
			t.Error("a connection that is closed restarts")
		}
	}
	for range 10 {
		p := newPublisher(t)
		r, err := e.OfferReceive(ReceiveOptions{Loopback: true})
		if err != nil {
			t.Fatal(err)
		}
		answer := p.answer(t, r.Description())
		var busy sync.WaitGroup
		for _, work := range []func(){
			func() { _ = r.Accept(answer, nil) },
			func() { _, _ = r.RestartOffer() },
			r.Close,
		} {
			busy.Go(work)
		}
		busy.Wait()
		await(t, r.Done(), "over")
		if err := r.Accept(answer, nil); err == nil {
			t.Error("a connection that is closed takes an answer")
		}
	}
}

// A79: a Reception that nobody runs, or whose Run has returned, fills up but closes.
func TestCloseOfAFullReception(t *testing.T) {
	for name, runs := range map[string]bool{"never run": false, "run has returned": true} {
		t.Run(name, func(t *testing.T) {
			e, p := newEngine(t, Options{}), newPublisher(t)
			r := receive(t, e, p.offer(t))
			if runs {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := r.Run(ctx, newGathering()); !errors.Is(err, context.Canceled) {
					t.Errorf("Run: %v", err)
				}
			}
			p.accept(t, r.Description())
			await(t, r.Connected(), "connected")
			await(t, p.connected, "connected on the publisher's side")
			seq := uint16(0)
			send := func() { _ = p.video.WriteRTP(vp8Packet(seq, uint32(seq)*1800, true)); seq++ }
			for range 2 * arrivalQueue {
				send()
			}
			for end := time.Now().Add(patience); !runs && len(r.arrivals) < arrivalQueue; send() { // a socket may have been full
				if time.Now().After(end) {
					t.Fatalf("%d packets wait", len(r.arrivals))
				}
				<-time.After(10 * time.Millisecond)
			}
			closed := make(chan struct{})
			go func() { r.Close(); close(closed) }()
			await(t, closed, "closed")
			if err := r.Err(); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}
