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
		e.Pairs = pairsOf(l.pc.GetStats())
	}
	return e
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
			Local: addrPort(local).Addr(), Remote: addrPort(remote), TCP: remote.Protocol == "tcp", Used: p.Nominated,
			Checks: transport.Checks{
				Received: uint32(p.RequestsReceived), Answered: uint32(p.ResponsesSent),
				Sent: uint32(p.RequestsSent), Returned: uint32(p.ResponsesReceived),
			},
		})
	}
	slices.SortFunc(all, func(a, b transport.Pair) int {
		return cmp.Or(first(a.Used, b.Used), cmp.Compare(b.Checks.Received, a.Checks.Received),
			cmp.Compare(b.Checks.Sent, a.Checks.Sent), a.Remote.Compare(b.Remote))
	})
	return all[:min(len(all), transport.MaxPairs)]
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
