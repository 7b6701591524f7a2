package peer

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/pion/webrtc/v4"

	"sluice/transport"
)

// Evidence is what was seen of the peer by now. The pairs are told until it is connected: the
// library lists them slowly.
func (l *link) Evidence() transport.Evidence {
	e := l.witness.Evidence()
	if e.Checks.Answered == 0 && e.Fault == nil {
		e.Checks.Wrong = e.Checks.Received // the library discards what it can't prove, and tries to answer all else
	}
	e.Path, e.Heard = l.found.Load(), l.heard.Load()
	if e.Handshake.Done = l.keyed.Load(); !e.Handshake.Done {
		e.Handshake.Failure = transport.FailureBy(e.Handshake.Alert, e.Handshake.AlertOut)
		e.Pairs = l.pairs()
	}
	return e
}

// pairs are those that were tried, and once a path is found that one alone: from then on the library closes the
// connection whenever the handshake fails, and its GetStats may not run beside that.
func (l *link) pairs() []transport.Pair {
	l.look.Lock()
	defer l.look.Unlock()
	if !l.blind {
		l.lookForPairs()
	}
	return l.looked
}

// lookNoMore has a last look at the pairs of a connection that is about to be closed.
func (l *link) lookNoMore() {
	l.look.Lock()
	defer l.look.Unlock()
	if !l.keyed.Load() {
		l.lookForPairs()
	}
	l.blind = true
}

func (l *link) lookForPairs() {
	if l.hasPath() {
		if p, ok := l.selected(); ok {
			l.looked = []transport.Pair{p}
		}
	} else if l.pc.SignalingState() != webrtc.SignalingStateClosed {
		l.looked = pairsOf(l.pc.GetStats())
	}
}

// selected is the pair in use.
func (l *link) selected() (transport.Pair, bool) {
	pair, err := l.ice().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return transport.Pair{}, false
	}
	stats, _ := l.ice().GetSelectedCandidatePairStats()
	return transport.Pair{
		Local: address(pair.Local).Addr(), Remote: address(pair.Remote), TCP: pair.Remote.Protocol == webrtc.ICEProtocolTCP,
		Used: true, Checks: checks(stats),
	}, true
}

func address(c *webrtc.ICECandidate) netip.AddrPort {
	return addrPort(webrtc.ICECandidateStats{IP: c.Address, Port: int32(c.Port)})
}

// Evidence is likewise; a publisher is heard by its media.
func (r *Reception) Evidence() transport.Evidence {
	e := r.link.Evidence()
	e.Heard = r.counted.packets.Load() > 0
	return e
}

// pairsOf are the pairs that anything came over, or was tried on: those in use first, then those with most checks.
func pairsOf(stats webrtc.StatsReport) []transport.Pair {
	var all []transport.Pair
	for _, s := range stats {
		p, ok := s.(webrtc.ICECandidatePairStats)
		if !ok || p.RequestsReceived+p.RequestsSent == 0 {
			continue
		}
		local, _ := stats[p.LocalCandidateID].(webrtc.ICECandidateStats)
		remote, _ := stats[p.RemoteCandidateID].(webrtc.ICECandidateStats)
		all = append(all, transport.Pair{
			Local: addrPort(local).Addr(), Remote: addrPort(remote), TCP: remote.Protocol == "tcp", Used: p.Nominated, Checks: checks(p),
		})
	}
	slices.SortFunc(all, func(a, b transport.Pair) int {
		return cmp.Or(first(a.Used, b.Used), cmp.Compare(b.Checks.Received, a.Checks.Received),
			cmp.Compare(b.Checks.Sent, a.Checks.Sent), a.Remote.Compare(b.Remote))
	})
	return all[:min(len(all), transport.MaxPairs)]
}

func checks(p webrtc.ICECandidatePairStats) transport.Checks {
	return transport.Checks{
		Received: uint32(p.RequestsReceived), Answered: uint32(p.ResponsesSent),
		Sent: uint32(p.RequestsSent), Returned: uint32(p.ResponsesReceived),
	}
}

func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func addrPort(c webrtc.ICECandidateStats) netip.AddrPort {
	a, err := netip.ParseAddr(c.IP)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(c.Port))
}

// failedHandshake is why a handshake of the library's has failed, as far as can be seen from outside.
func (l *link) failedHandshake() error {
	seen := l.witness.Evidence().Handshake
	return &transport.HandshakeError{Failure: transport.FailureBy(seen.Alert, seen.AlertOut)}
}
