package turn

import (
	"encoding/binary"
	"net/netip"

	"github.com/pion/stun/v4"
)

// appendBindingAnswer appends the answer to a Binding request, which is one whole STUN message; nil if it gets none.
// An answer is no longer than twice the request as long as IPv4 addresses fit: FINGERPRINT is left away for that.
func appendBindingAnswer(out, request []byte, from netip.AddrPort) []byte {
	unknown, err := firstUnknown(request)
	if err != nil || wrongFingerprint(request) {
		return nil
	}
	out = append(out, request[:headerSize]...)
	if unknown != 0 {
		binary.BigEndian.PutUint16(out, typeBindingError)
		out = appendUnknown(out, unknown)
	} else {
		binary.BigEndian.PutUint16(out, typeBindingSuccess)
		out = appendMapped(out, from)
	}
	if len(out)+fingerprintSize <= 2*len(request) {
		return fingerprinted(out)
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)-headerSize)) //nolint:gosec // at most 24
	return out
}

// appendUnknown appends ERROR-CODE 420 and UNKNOWN-ATTRIBUTES. Specification: RFC 8489 sections 14.8 and 14.9.
func appendUnknown(p []byte, unknown uint16) []byte {
	p = binary.BigEndian.AppendUint32(p, uint32(stun.AttrErrorCode)<<16|4)
	p = binary.BigEndian.AppendUint32(p, 4<<8|20)
	p = binary.BigEndian.AppendUint32(p, uint32(stun.AttrUnknownAttributes)<<16|2)
	return binary.BigEndian.AppendUint32(p, uint32(unknown)<<16)
}
