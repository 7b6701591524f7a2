package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"sluice/negotiation"
)

// gatherTimeout bounds the search for our own candidates, in which only STUN and TURN servers can be slow.
const gatherTimeout = 2 * time.Second

// ErrNotOffered tells that an answer came to a connection that has made no offer, or has its answer already.
var ErrNotOffered = errors.New("no offer of ours waits for an answer")

// ErrGathering tells that ICE can't be restarted yet (A74).
var ErrGathering = errors.New("the gateway is still searching for its own candidates: try the ICE restart again in some seconds")

// ICEServer is a STUN or TURN server that the other side lets us use.
type ICEServer struct {
	URLs                 []string
	Username, Credential string
}

// answerTo runs a peer's offer through pion and finishes the answer. It needs exchange, or a link that nobody else
// knows yet. Our candidates are known at once: nothing is waited for but their listing.
func (l *link) answerTo(offer *negotiation.Offer) (string, error) {
	err := l.pc.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeOffer, SDP: offer.NormalisedWith(l.candidates()),
	})
	if err != nil {
		return "", fmt.Errorf("apply the offer: %w", err)
	}
	answer, err := l.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("make an answer: %w", err)
	}
	local, err := l.applyLocal(answer)
	if err != nil {
		return "", fmt.Errorf("apply the answer: %w", err)
	}
	text, err := negotiation.FinishAnswer(l.mux.announce(local), offer, negotiation.AnswerOptions{
		Plan: l.plan, StreamID: streamID, Loopback: l.loopback,
	})
	if err != nil {
		return "", fmt.Errorf("finish the answer: %w", err)
	}
	return text, nil
}

// applyLocal makes pion begin with a description of its own and returns it with its candidates.
func (l *link) applyLocal(d webrtc.SessionDescription) (string, error) {
	if err := l.pc.SetLocalDescription(d); err != nil {
		return "", err
	}
	l.awaitGathered(nil)
	return l.pc.LocalDescription().SDP, nil
}

// awaitGathered waits until all of our candidates are known, at most gatherTimeout, or until stop is closed. It reports
// whether they are.
func (l *link) awaitGathered(stop <-chan struct{}) bool {
	limit := time.NewTimer(gatherTimeout)
	defer limit.Stop()
	select {
	case <-webrtc.GatheringCompletePromise(l.pc):
		return true
	case <-limit.C:
	case <-stop:
	case <-l.done:
	}
	return false
}

// makeOffer describes what pion would offer, with the candidates of our port, which are known without gathering:
// that begins in Accept, when the peer may have told of ICE servers (RFC 9725 4.6).
func (l *link) makeOffer() error {
	offer, err := l.pc.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	text, err := negotiation.FinishOffer(offer.SDP, l.offerOptions(nil))
	if err != nil {
		return fmt.Errorf("finish the offer: %w", err)
	}
	l.ours = offer.SDP
	l.describe(text)
	return nil
}

// offerOptions are those of an offer with the candidates of our port, and those that servers have found for us. Who has
// come to us is told of all at once, and of TCP, as in an answer (A52).
func (l *link) offerOptions(found []string) negotiation.OfferOptions {
	o := negotiation.OfferOptions{
		Candidates: append(l.mux.hosts.Candidates(l.loopback), found...), StreamID: streamID, Loopback: l.loopback,
		Complete: l.visited,
	}
	if l.visited {
		o.Candidates = append(o.Candidates, l.mux.hosts.TCPCandidates(l.loopback)...)
	}
	return o
}

// Accept takes the answer to our offer and begins to connect. servers are those that the peer lets us use. Errors are
// those of negotiation.ParseAnswer, ErrNotOffered, or tell what the library made of the answer.
func (l *link) Accept(answer string, servers []ICEServer) error {
	l.exchange.Lock()
	defer l.exchange.Unlock()
	if l.ours == "" || l.answer != nil {
		return ErrNotOffered
	}
	parsed, err := negotiation.ParseAnswer(answer, l.Description())
	if err != nil {
		return err
	}
	if err = l.useServers(servers); err != nil {
		return err
	}
	if err = l.pc.SetLocalDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: l.ours}); err != nil {
		return fmt.Errorf("apply our offer: %w", err)
	}
	err = l.pc.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeAnswer, SDP: parsed.NormalisedWith(l.candidates()),
	})
	if err != nil {
		return fmt.Errorf("apply the answer: %w", err)
	}
	l.answer = parsed
	return nil
}

func (l *link) useServers(servers []ICEServer) error {
	if len(servers) == 0 {
		return nil
	}
	c := l.pc.GetConfiguration()
	for _, s := range servers {
		c.ICEServers = append(c.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	if err := l.pc.SetConfiguration(c); err != nil {
		return fmt.Errorf("use the ICE servers that the peer names: %w", err)
	}
	return nil
}

// LateCandidates waits until all of our candidates are known, at most 2 s, and returns those that Description does
// not hold: of STUN and TURN servers, after Accept.
func (l *link) LateCandidates(ctx context.Context) []string {
	l.awaitGathered(ctx.Done())
	local := l.pc.LocalDescription()
	if local == nil {
		return nil
	}
	return gathered(local.SDP)
}

// gathered are the candidates of the library's text that STUN and TURN servers have found.
func gathered(local string) []string {
	return slices.DeleteFunc(values(local, "candidate"), func(c string) bool { return strings.Contains(c, " typ host") })
}

// AddCandidates tells of places where the peer may be reached, as the values of its a=candidate lines. What may not be
// tried is skipped (A76).
func (l *link) AddCandidates(all []string) {
	policy := l.candidates()
	for _, c := range all {
		if policy.Allows(c) {
			_ = l.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: "candidate:" + c}) // the others are tried all the same
		}
	}
}

// Restart takes new credentials and candidates of the peer and returns our own new ones (RFC 9725 4.3.3). The peer is
// searched for anew; media wait meanwhile. It must not be called before there is an answer.
func (l *link) Restart(f *negotiation.Fragment) (*negotiation.Fragment, error) {
	l.exchange.Lock()
	defer l.exchange.Unlock()
	if l.offer == nil {
		return l.restartOurs(f)
	}
	if !l.awaitGathered(nil) {
		return nil, ErrGathering
	}
	offer := l.offer.Restarted(f)
	text, err := l.answerTo(offer)
	if err != nil {
		return nil, err
	}
	l.offer = offer
	l.describe(text)
	return fragmentOf(text)
}

// restartOurs is a restart by a peer that has answered our offer: we offer anew and take its fragment as the answer.
func (l *link) restartOurs(f *negotiation.Fragment) (*negotiation.Fragment, error) {
	ours, err := l.offerRestart()
	if err != nil {
		return nil, err
	}
	return ours, l.acceptRestart(f)
}

// RestartOffer begins an ICE restart of ours and returns the fragment for the peer, whose own goes to AcceptRestart.
func (l *link) RestartOffer() (*negotiation.Fragment, error) {
	l.exchange.Lock()
	defer l.exchange.Unlock()
	return l.offerRestart()
}

func (l *link) offerRestart() (*negotiation.Fragment, error) {
	if l.answer == nil {
		return nil, ErrNotOffered
	}
	if !l.awaitGathered(nil) {
		return nil, ErrGathering
	}
	offer, err := l.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		return nil, fmt.Errorf("make an offer: %w", err)
	}
	local, err := l.applyLocal(offer)
	if err != nil {
		return nil, fmt.Errorf("apply our offer: %w", err)
	}
	o := l.offerOptions(gathered(local))
	o.Complete = true
	text, err := negotiation.FinishOffer(local, o)
	if err != nil {
		return nil, fmt.Errorf("finish the offer: %w", err)
	}
	return fragmentOf(text)
}

// AcceptRestart ends what RestartOffer has begun.
func (l *link) AcceptRestart(f *negotiation.Fragment) error {
	l.exchange.Lock()
	defer l.exchange.Unlock()
	return l.acceptRestart(f)
}

func (l *link) acceptRestart(f *negotiation.Fragment) error {
	if l.answer == nil {
		return ErrNotOffered
	}
	answer := l.answer.Restarted(f)
	err := l.pc.SetRemoteDescription(webrtc.SessionDescription{
		Type: webrtc.SDPTypeAnswer, SDP: answer.NormalisedWith(l.candidates()),
	})
	if err != nil {
		return fmt.Errorf("apply the answer: %w", err)
	}
	l.answer = answer
	return nil
}

// fragmentOf is what an SDP of ours says of ICE.
func fragmentOf(sdp string) (*negotiation.Fragment, error) {
	return negotiation.ParseFragment(sdp)
}

// values are those of all lines of an attribute, each once, in their order.
func values(sdp, key string) []string {
	var all []string
	seen := map[string]bool{}
	for line := range strings.SplitSeq(sdp, "\r\n") {
		if v, ok := strings.CutPrefix(line, "a="+key+":"); ok && !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	return all
}
