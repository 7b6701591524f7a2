package session

import (
	"fmt"
	"strings"

	"sluice/transport"
)

// words are the sentence and the advice of a cause, for an operator; "" for none.
func (f *facts) words(cause Cause, detail string) (sentence, advice string) {
	switch cause {
	case CauseNothingAnnounced:
		return "the gateway had no address to announce: no interface that webrtc.interfaces allows has one",
			`Name the interfaces, or the address, under which peers reach this machine: webrtc.interfaces = [] or webrtc.additional_hosts = ["203.0.113.7"].`
	case CauseLoopbackOnly:
		return fmt.Sprintf("the gateway announced only addresses of its own machine (%s), which the peer can't reach", f.announced()),
			f.listenWidely()
	case CauseNothingArrived, CauseNoCandidates:
		return f.nothingArrived(cause, detail), f.openPort(detail)
	case CauseRelay:
		return fmt.Sprintf("the peer is reached by relays alone (%s), and nothing came through them to %s", f.list(shownTheirs(f.theirs, f.remote)), f.announced()),
			"Let the TURN server reach the gateway's port, or have the peer use one that can. " + f.otherWays()
	case CauseNotAnswered:
		return f.notAnswered(), f.answerAdvice()
	case CauseCredentials:
		return fmt.Sprintf("%d connectivity checks came for the session, none of which was sealed with the password of our SDP", f.seen.Checks.Wrong),
			"The peer uses another answer than the one to its offer: an old one, or one that something between has changed. Have it start anew."
	case CauseHandshake:
		return f.noKeys(detail)
	case CauseNoMedia:
		return f.noMedia(detail)
	}
	return f.ending(cause)
}

// ending has the words for the end of a session that is no fault of the path.
func (f *facts) ending(cause Cause) (sentence, advice string) {
	switch cause {
	case CauseFlood:
		return f.why.Error(), "Look what the peer sends: no encoder needs so much."
	case CauseConsent:
		return "the peer was connected and has fallen silent: its network is gone, or something between has stopped letting packets through", "If it happens after the same time again and again, a NAT or firewall between forgets UDP too soon. " + f.otherWays()
	case CauseSourceGone, CauseSourceChanged, CauseRefused:
		return f.why.Error(), ""
	case CauseUnanswered:
		return "the gateway has made an offer, and the peer has not answered it in time", "The peer must PATCH its answer to the session's URL."
	case CauseInternal:
		return f.why.Error(), "This is a fault of the gateway: its log may say more."
	}
	return "", ""
}

func (f *facts) nothingArrived(cause Cause, detail string) string {
	text := "no packet of the peer has reached " + f.announced()
	switch {
	case cause == CauseNoCandidates:
		text += fmt.Sprintf(", and it has told no address that the gateway could try itself (%s)", f.list(shownTheirs(f.theirs, f.remote)))
	case f.seen.Checks.Sent > 0:
		text += fmt.Sprintf(", and none of the gateway's %d checks was answered", f.seen.Checks.Sent)
	}
	if detail == detailHere {
		text += ": its requests come from this machine, and so it was told of nothing that can be reached from elsewhere"
	}
	if f.hidden() {
		text += ": these are private addresses, and the peer comes from a public one"
	}
	return text
}

// listenWidely advises what lets others reach a port of this machine alone.
func (f *facts) listenWidely() string {
	return `Listen on all addresses: webrtc.listen_udp = ":` + f.ourPort() + "\", for which people have to sign in (`gateway init` has them)."
}

// openPort advises what lets packets in.
func (f *facts) openPort(detail string) string {
	if detail == detailHere {
		return `If a proxy on this machine passes requests of others on, have it say whose they are: http.trusted_proxies = ["127.0.0.1"]. ` +
			f.listenWidely() + " If the peer is on this machine indeed, look whether it uses loopback at all: some browsers do not."
	}
	advice := "Let UDP port " + f.ourPort() + " through every firewall between"
	if f.hidden() {
		advice = "Forward UDP port " + f.ourPort() + " to this machine and announce the public address: webrtc.additional_hosts = [\"203.0.113.7\"]"
	} else {
		advice += ", and announce an address at which the peer reaches this machine: webrtc.additional_hosts = [\"203.0.113.7\"]"
	}
	return advice + ". " + f.otherWays()
}

// otherWays advises what is switched off.
func (f *facts) otherWays() string {
	var ways []string
	if !f.reach.TCP {
		ways = append(ways, `webrtc.listen_tcp = ":`+f.ourPort()+`"`)
	}
	if !f.reach.TURN {
		ways = append(ways, `turn.mode = "embedded" and turn.secret = "SECRET" (openssl rand -hex 24 makes one)`)
	}
	if len(ways) == 0 {
		return "TCP and TURN are on, and did not help: look whether the peer's network lets any of them out."
	}
	return "For peers whose network lets no UDP through: " + strings.Join(ways, ", or ") + "."
}

func (f *facts) notAnswered() string {
	c := f.seen.Checks
	if n := f.unsent(); n > 0 {
		return fmt.Sprintf("%d connectivity checks of the peer came, and the answers to %d of them could not be sent: %v", c.Received, n, f.seen.Fault)
	}
	return fmt.Sprintf("%d connectivity checks of the peer came and were answered, but the answers, and all else that was sent, did not reach it", c.Received)
}

// unsent is how many checks were not answered for a fault of ours.
func (f *facts) unsent() uint32 {
	if c := f.seen.Checks; f.seen.Fault != nil && c.Answered+c.Wrong < c.Received {
		return c.Received - c.Wrong - c.Answered
	}
	return 0
}

func (f *facts) answerAdvice() string {
	if f.unsent() > 0 {
		return "Look at the routes and the packet filter of this machine."
	}
	return "Something lets packets in and none out: look at the firewall's rules for outgoing UDP from port " + f.ourPort() + ", and whether replies leave by the address that was asked. If they do arrive, a firewall between passes connectivity checks and drops DTLS."
}

// noKeys has the words for a handshake.
func (f *facts) noKeys(detail string) (sentence, advice string) {
	if detail == detailNoHello {
		return "a path to the peer was found, but its DTLS handshake never came", "Connectivity checks pass and other packets do not: a firewall between looks into UDP. " + f.otherWays()
	}
	why := transport.HandshakeFailure(detail)
	sentence = (&transport.HandshakeError{Failure: why}).Error()
	switch why {
	case transport.HandshakeCertificate:
		return sentence, "The SDP and the media come from different peers: something between has changed the SDP, or the peer has made another certificate since its offer."
	case transport.HandshakeProfile:
		return sentence, "The peer is too old: it must know DTLS 1.2 with ECDHE and ECDSA, and SRTP with AES-128-CM or AES-GCM."
	case transport.HandshakeRefused:
		return fmt.Sprintf("%s (alert %d)", sentence, f.seen.Handshake.Alert), "The peer says in its own log why. Most often it found another certificate than our SDP names: something between has changed the SDP."
	case transport.HandshakeTimeout:
		return sentence + ": what we sent did not arrive, or its answer", "Small packets pass and larger ones do not: something between drops UDP packets of more than some hundred bytes (a tunnel, a VPN, a small MTU). " + f.otherWays()
	}
	return sentence, "At the log level debug the library for DTLS says more."
}

// noMedia has the words for a connection over which nothing comes.
func (f *facts) noMedia(detail string) (sentence, advice string) {
	switch detail {
	case detailSilent:
		if f.unread > 0 {
			return fmt.Sprintf("the publisher is connected, but none of its %d packets is of what was negotiated", f.unread), "Have it send the codec and the payload type of the answer."
		}
		return "the publisher is connected, but has sent no media", "Look whether its encoder runs, and whether it sends the tracks that it has offered."
	case detailOffline:
		if f.away != "" {
			return "the viewer is connected, but the stream's source is away: " + f.away, ""
		}
		return "the viewer is connected, but the stream has no source now", "Look at the stream's source."
	case detailKeyframe:
		return "the viewer is connected, but nothing was sent: the source has sent no keyframe since", "Set a shorter keyframe interval in the camera or encoder (2 seconds), and let it take requests for keyframes."
	}
	return fmt.Sprintf("%d packets of media were sent, and the viewer has not said that any came", f.sent),
		"Small packets pass and larger ones do not: something between drops UDP packets of more than some hundred bytes. " + f.otherWays()
}

// announced names our addresses, the port alone if there are many.
func (f *facts) announced() string {
	if len(f.ours) == 0 {
		return "the gateway"
	}
	return f.list(shownOurs(f.ours))
}

// list joins some texts, not more than a sentence bears.
func (f *facts) list(texts []string) string {
	const most = 4
	if len(texts) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
	}
	return strings.Join(texts, ", ")
}

// ourPort is the port of our UDP candidates.
func (f *facts) ourPort() string {
	for _, c := range f.ours {
		if !c.tcp {
			return c.port
		}
	}
	return "8189"
}
