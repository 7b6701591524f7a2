package session

import (
	"net"
	"net/netip"
	"time"

	"sluice/media"
	"sluice/negotiation"
	"sluice/transport"
)

// Cause says why a session does not connect or play, in terms that pages and operators have words for.
type Cause string

// The causes. "" is none: all is well, or it is too early to tell.
const (
	CauseNothingAnnounced Cause = "nothing_announced"     // we had no address to tell the peer
	CauseLoopbackOnly     Cause = "loopback_only"         // we told one of this machine alone, to a peer elsewhere
	CauseNothingArrived   Cause = "nothing_arrived"       // no packet of the peer has reached the port
	CauseNoCandidates     Cause = "no_candidates_usable"  // likewise, and the peer has no address that we could try
	CauseRelay            Cause = "relay_unreachable"     // likewise, and it is reached by relays alone
	CauseNotAnswered      Cause = "arrived_not_answered"  // its checks came, ours or our answers did not reach it
	CauseCredentials      Cause = "wrong_credentials"     // its checks were not sealed with the password of our SDP
	CauseHandshake        Cause = "dtls_failed"           // a path was found, but no keys were agreed on
	CauseNoMedia          Cause = "connected_no_media"    // connected, and no picture
	CauseFlood            Cause = "flood"                 // it sent too much
	CauseConsent          Cause = "consent_lost"          // it was connected and has fallen silent
	CauseSourceGone       Cause = "source_gone"           // there is nothing to send
	CauseSourceChanged    Cause = "source_changed"        // what there is does not fit what was negotiated
	CauseUnanswered       Cause = "counter_offer_expired" // nobody has answered our offer
	CauseRefused          Cause = "refused"               // it may not go on: a limit, a permission, a shutdown, another publisher
	CauseInternal         Cause = "internal"              // it ended with an error that no peer brings about
)

// Verdict says how a session's connection does, and why it is not better: for whoever runs the gateway. It holds no
// secret, but addresses and what the source says; the peer itself is told ForPeer.
type Verdict struct {
	State     State
	Reason    Cause
	Detail    string    // which kind of that: of dtls_failed a transport.HandshakeFailure or "no_hello", of refused a Reason
	Sentence  string    // ends without a full stop
	Advice    string    // what to do, with the lines of config.toml
	Ours      []string  // where we said that we are reached, as "udp 192.0.2.1:8189"
	Theirs    []string  // where the peer said so, as "srflx 198.51.100.7"
	Pairs     []Pair    // that anything came over, or was tried on
	Handshake string    // how far DTLS came
	Delivery  []string  // what was decided on each section, as a sentence
	At        time.Time // UTC
}

// Pair is a transport.Pair for readers.
type Pair struct {
	Local    string // "": not known
	Remote   string
	Protocol string // udp or tcp
	Used     bool
	Received uint32 // checks of the peer's
	Answered uint32
	Sent     uint32 // checks of ours
	Returned uint32
}

// Reach is which ways there are to this gateway beside plain UDP: what is switched off can be advised.
type Reach struct {
	TCP  bool // webrtc.listen_tcp
	TURN bool // [turn], or a TURN server of webrtc.ice_servers
}

// Verdict looks at the session as it is now, or as it was when it ended.
func (s *Session) Verdict() Verdict {
	s.mu.Lock()
	last := s.verdict
	s.mu.Unlock()
	if last != nil {
		return *last
	}
	return judge(s.facts())
}

// settle keeps the verdict of a session that has just ended, before its connection is closed.
func (s *Session) settle() Verdict {
	f := s.facts()
	f.over, f.state = true, StateClosed
	v := judge(f)
	s.mu.Lock()
	s.verdict = &v
	s.mu.Unlock()
	return v
}

// facts are what a verdict is made of.
type facts struct {
	role      Role
	state     State
	over      bool
	connected bool          // it was, if it is not now
	lasted    time.Duration // since it began, or since it was connected
	why       error         // it is over; nil: no error
	remote    netip.Addr    // of the signalling
	agreed    bool          // offer and answer are both there
	reach     Reach
	ours      []told
	theirs    []told
	seen      transport.Evidence
	source    bool   // the stream has one
	away      string // why it has none
	sent      uint64 // packets of media that a viewer was sent
	received  uint64 // packets of media that came from a publisher
	unread    uint64 // and those that are of no use
	choices   []negotiation.Choice
	now       time.Time
}

func (s *Session) facts() facts {
	f := facts{role: s.Role(), seen: s.link.Evidence(), now: time.Now(), remote: addrOf(s.remote)}
	f.ours = candidatesIn(s.link.Description())
	f.theirs, f.agreed = s.trickle.theirs()
	f.reach = s.manager.options().Reach
	var i Info
	s.part.describe(&i)
	f.choices, f.sent = i.Choices, i.Stats.Packets
	f.received, f.unread = i.Received.Packets, i.Received.Malformed
	f.source = len(s.stay.stream.Renditions()) > 0
	if _, err := s.stay.stream.State(); err != nil {
		f.away = err.Error()
	}
	s.mu.Lock()
	f.state, f.why = s.state, s.why
	f.connected, f.lasted = !s.since.IsZero(), f.now.Sub(s.created)
	if f.connected {
		f.lasted = f.now.Sub(s.since)
	}
	s.mu.Unlock()
	return f
}

// theirs are the candidates that the peer has told by now, and whether there are an offer and an answer.
func (t *trickle) theirs() (all []told, agreed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var values []string
	switch {
	case t.offer != nil:
		for i := range t.offer.Sections {
			values = append(values, t.offer.Sections[i].Candidates...)
		}
	case t.answer != nil:
		values = append(values, t.answer.Candidates...)
	}
	for v := range t.candidates {
		values = append(values, v)
	}
	return candidatesOf(values), t.offer != nil || t.answer != nil
}

// addrOf is the address of a host:port; invalid if it is none.
func addrOf(remote string) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

// kindOf is how a sentence calls a section.
func kindOf(k media.Kind) string {
	switch k {
	case media.Video:
		return "picture"
	case media.Audio:
		return "sound"
	}
	return string(k)
}
