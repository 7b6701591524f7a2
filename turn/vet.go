package turn

import (
	"net/netip"

	"github.com/pion/stun/v4"
)

const (
	protoUDP = 17
	family4  = 1
	family6  = 2
)

// refusal is an error response and why; the zero refusal refuses nothing.
type refusal struct {
	code   stun.ErrorCode
	reason Reason // "" if it is not worth a counter
}

// vet refuses what credentials alone don't give.
func (g *gate) vet(r *request) refusal {
	held := g.relay(r.client)
	if r.msg.Type.Method == stun.MethodAllocate {
		if held != nil {
			return refusal{} // pion knows a repetition by its transaction
		}
		return g.vetAllocate(r)
	}
	switch {
	case held == nil:
		return refusal{code: stun.CodeAllocMismatch}
	case held.id != r.id:
		return refusal{code: stun.CodeWrongCredentials}
	}
	switch r.msg.Type.Method {
	case stun.MethodRefresh:
		return refusal{}
	case stun.MethodCreatePermission, stun.MethodChannelBind:
		return g.vetPeers(r, held)
	case stun.MethodConnect:
		return refusal{stun.CodeForbidden, TCPRelay}
	}
	return refusal{code: stun.CodeBadRequest}
}

func (g *gate) vetAllocate(r *request) refusal {
	if transport, err := r.msg.Get(stun.AttrRequestedTransport); err == nil && len(transport) == 4 && transport[0] != protoUDP {
		return refusal{stun.CodeUnsupportedTransProto, TCPRelay}
	}
	if family, err := r.msg.Get(stun.AttrRequestedAddressFamily); err == nil && len(family) == 4 {
		if !g.relays(family[0], r.client) {
			return refusal{stun.CodeAddrFamilyNotSupported, AddressFamily}
		}
	}
	slot, reason := g.server.quota.take(r.id, r.client.Addr())
	if slot == nil {
		return refusal{stun.CodeAllocQuotaReached, reason}
	}
	r.slot = slot
	return refusal{}
}

// vetPeers refuses a request of which any peer is forbidden.
func (g *gate) vetPeers(r *request, held *relay) refusal {
	peers, err := peersOf(r.msg)
	if err != nil || len(peers) == 0 {
		return refusal{code: stun.CodeBadRequest}
	}
	for _, peer := range peers {
		if peer.Addr().Is4() != held.is4() {
			return refusal{stun.CodePeerAddrFamilyMismatch, AddressFamily}
		}
	}
	channel := r.msg.Type.Method == stun.MethodChannelBind
	policy := g.server.freshPolicy(permissionAge)
	if !policy.permitsAll(peers, channel) {
		if policy = g.server.freshPolicy(forbiddenAge); !policy.permitsAll(peers, channel) {
			return refusal{stun.CodeForbidden, Peer}
		}
	}
	for _, peer := range peers {
		if target, ok := policy.target(peer); ok {
			held.remember(target, peer)
		}
	}
	return refusal{}
}

// peersOf returns every XOR-PEER-ADDRESS.
func peersOf(m *stun.Message) ([]netip.AddrPort, error) {
	var peers []netip.AddrPort
	err := m.ForEach(stun.AttrXORPeerAddress, func(m *stun.Message) error {
		var a stun.XORMappedAddress
		if a.GetFromAs(m, stun.AttrXORPeerAddress) != nil {
			return errAttributes
		}
		ip, _ := netip.AddrFromSlice(a.IP)
		peers = append(peers, plain(netip.AddrPortFrom(ip, uint16(a.Port)))) //nolint:gosec // 16 bits in the message
		return nil
	})
	return peers, err
}
