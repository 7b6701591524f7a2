package transport

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
)

// The parts of STUN that asking for an address takes (RFC 8489, sections 5, 14.1 and 14.2).
const (
	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111
	stunCookie     = 0x2112A442
	stunHeader     = 20 // bytes: type, length, cookie, transaction ID

	mappedAddress    = 0x0001
	xorMappedAddress = 0x0020
)

// transaction is the ID of a request and its reply. It can't be guessed.
type transaction [12]byte

func newTransaction() transaction {
	var id transaction
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// request is a Binding request without attributes.
func (id transaction) request() []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, stunHeader), bindingRequest)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, stunCookie)
	return append(b, id[:]...)
}

// replied reports whether data is the reply to a Binding request, and to which.
func replied(data []byte) (transaction, bool) {
	if len(data) < stunHeader || data[0] != bindingSuccess>>8 {
		return transaction{}, false
	}
	kind, length := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
	isReply := kind == bindingSuccess || kind == bindingError
	if !isReply || length != len(data)-stunHeader || binary.BigEndian.Uint32(data[4:]) != stunCookie {
		return transaction{}, false
	}
	return transaction(data[8:stunHeader]), true
}

// mapped is the address that a reply tells, IPv4 ones never in their IPv6 form; false if it tells none, as an error does.
// MAPPED-ADDRESS counts only where the other is missing: some NATs rewrite it.
func mapped(reply []byte) (netip.AddrPort, bool) {
	if binary.BigEndian.Uint16(reply) != bindingSuccess {
		return netip.AddrPort{}, false
	}
	var plain netip.AddrPort
	for rest := reply[stunHeader:]; len(rest) >= 4; {
		kind, size := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if size > len(rest)-4 {
			break
		}
		switch value := rest[4 : 4+size]; kind {
		case xorMappedAddress:
			a := addressOf(value, reply[4:stunHeader])
			return a, a.IsValid()
		case mappedAddress:
			plain = addressOf(value, make([]byte, stunHeader-4))
		}
		rest = rest[min(4+(size+3)&^3, len(rest)):]
	}
	return plain, plain.IsValid()
}

// addressOf reads the value of an address attribute, combined with a mask: cookie and transaction ID.
func addressOf(value, mask []byte) netip.AddrPort {
	if len(value) < 8 {
		return netip.AddrPort{}
	}
	raw := make([]byte, len(value)-4)
	for i := range min(len(raw), len(mask)) {
		raw[i] = value[4+i] ^ mask[i]
	}
	a, ok := netip.AddrFromSlice(raw)
	family := byte(1)
	if len(raw) == 16 {
		family = 2
	}
	port := binary.BigEndian.Uint16(value[2:]) ^ binary.BigEndian.Uint16(mask)
	if !ok || value[1] != family || port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), port)
}
