package turn

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net"
	"net/netip"

	"github.com/pion/stun/v4"
)

const (
	headerSize    = 20
	channelHeader = 4
	magicCookie   = 0x2112A442

	typeBinding        = 0x0001
	typeBindingSuccess = 0x0101
	typeBindingError   = 0x0111
	typeSend           = 0x0016
	typeData           = 0x0017

	attrFingerprint = 0x8028
	fingerprintSize = 8
	fingerprintXor  = 0x5354554e
)

// isChannelData says whether a datagram is ChannelData by its first two bits. Specification: RFC 8656 section 12.
func isChannelData(p []byte) bool { return len(p) >= channelHeader && p[0]>>6 == 1 }

// isSTUN says whether p is one whole STUN message by its header. Specification: RFC 8489 section 5.
func isSTUN(p []byte) bool {
	return len(p) >= headerSize && p[0]>>6 == 0 && binary.BigEndian.Uint32(p[4:]) == magicCookie &&
		int(binary.BigEndian.Uint16(p[2:]))+headerSize == len(p) && len(p)%4 == 0
}

func messageType(p []byte) uint16 { return binary.BigEndian.Uint16(p) }

// fingerprinted appends FINGERPRINT to a message and mends its length. Specification: RFC 8489 section 14.7.
func fingerprinted(p []byte) []byte {
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)-headerSize+fingerprintSize)) //nolint:gosec // answers are short
	sum := crc32.ChecksumIEEE(p) ^ fingerprintXor
	p = binary.BigEndian.AppendUint16(p, attrFingerprint)
	p = binary.BigEndian.AppendUint16(p, 4)
	return binary.BigEndian.AppendUint32(p, sum)
}

// wrongFingerprint says whether p ends in a FINGERPRINT that does not match.
func wrongFingerprint(p []byte) bool {
	at := len(p) - fingerprintSize
	if at < headerSize || binary.BigEndian.Uint32(p[at:]) != attrFingerprint<<16|4 {
		return false
	}
	return binary.BigEndian.Uint32(p[at+4:]) != crc32.ChecksumIEEE(p[:at])^fingerprintXor
}

// errAttributes means that an attribute runs over the end of its message.
var errAttributes = errors.New("an attribute is longer than the message")

// firstUnknown returns the first attribute of a Binding request that must be understood and is not; 0 for none.
func firstUnknown(p []byte) (uint16, error) {
	unknown := uint16(0)
	for p = p[headerSize:]; len(p) > 0; {
		size := channelHeader + (int(binary.BigEndian.Uint16(p[2:]))+3)&^3
		if size > len(p) {
			return 0, errAttributes
		}
		kind := binary.BigEndian.Uint16(p)
		if unknown == 0 && kind < 0x8000 && !knownInBinding(stun.AttrType(kind)) {
			unknown = kind
		}
		p = p[size:]
	}
	return unknown, nil
}

func knownInBinding(t stun.AttrType) bool {
	switch t {
	case stun.AttrUsername, stun.AttrMessageIntegrity, stun.AttrRealm, stun.AttrNonce, stun.AttrPriority,
		stun.AttrUseCandidate, stun.AttrMessageIntegritySHA256, stun.AttrPasswordAlgorithm, stun.AttrUserhash:
		return true
	}
	return false
}

// appendMapped appends XOR-MAPPED-ADDRESS for a message whose header stands at the start of p. Specification: RFC 8489
// section 14.2.
func appendMapped(p []byte, a netip.AddrPort) []byte {
	ip := a.Addr().AsSlice()
	family := uint16(1)
	if len(ip) == net.IPv6len {
		family = 2
	}
	p = binary.BigEndian.AppendUint16(p, uint16(stun.AttrXORMappedAddress))
	p = binary.BigEndian.AppendUint16(p, uint16(4+len(ip))) //nolint:gosec // 8 or 20
	p = binary.BigEndian.AppendUint16(p, family)
	p = binary.BigEndian.AppendUint16(p, a.Port()^magicCookie>>16)
	for i, b := range ip {
		p = append(p, b^p[4+i]) // the cookie, then the transaction
	}
	return p
}

// udpAddr is a as pion wants it.
func udpAddr(a netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(a) }

// addrPort is the address within a UDP or TCP address.
func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return plain(a.AddrPort())
	case *net.TCPAddr:
		return plain(a.AddrPort())
	}
	return netip.AddrPort{}
}
