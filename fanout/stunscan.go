package fanout

import (
	"bytes"
	"encoding/binary"
)

// The parts of a STUN message (RFC 8489, sections 5 and 14) that decide whether it is looked at any closer.
const (
	stunHeader      = 20
	stunCookie      = 0x2112A442
	stunTypeRequest = 0x0001 // Binding request

	attrUsername      = 0x0006
	attrIntegrity     = 0x0008
	attrUseCandidate  = 0x0025
	attrFingerprint   = 0x8028
	attrICEControlled = 0x8029

	integritySize   = 20
	fingerprintSize = 4
)

// isSTUN reports whether a datagram is STUN, by its first byte (RFC 7983) and the magic cookie.
func isSTUN(data []byte) bool {
	return len(data) >= stunHeader && data[0] <= 3 && binary.BigEndian.Uint32(data[4:]) == stunCookie
}

// isRequest reports whether it is a Binding request: as an ICE-lite agent we send none, so no response is for us.
func isRequest(data []byte) bool {
	return isSTUN(data) && binary.BigEndian.Uint16(data) == stunTypeRequest
}

// localUfrag returns the part of a Binding request's USERNAME before the colon: the ufrag of the session that it is
// for. It is a part of data and proves nothing yet.
func localUfrag(data []byte) ([]byte, bool) {
	if !isRequest(data) {
		return nil, false
	}
	for rest := data[stunHeader:]; len(rest) > 0; {
		kind, value, after, ok := nextAttribute(rest)
		if !ok {
			return nil, false
		}
		if kind == attrUsername {
			ufrag, _, found := bytes.Cut(value, []byte{':'})
			return ufrag, found && len(ufrag) > 0
		}
		rest = after
	}
	return nil, false
}

// nextAttribute splits off the first attribute, which is padded to a multiple of four bytes.
func nextAttribute(data []byte) (kind uint16, value, rest []byte, ok bool) {
	if len(data) < 4 {
		return 0, nil, nil, false
	}
	length := int(binary.BigEndian.Uint16(data[2:]))
	padded := 4 + (length+3)&^3
	if padded > len(data) {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(data), data[4 : 4+length], data[padded:], true
}

// maxUnknown bounds the attributes that an error response names.
const maxUnknown = 8

// stunScan is what one walk over a message's attributes finds.
type stunScan struct {
	username    []byte
	integrity   []byte // of MESSAGE-INTEGRITY
	fingerprint []byte // of FINGERPRINT, which is the last attribute
	nominates   bool   // USE-CANDIDATE
	controlled  bool   // the sender thinks itself in our role
	unknown     [maxUnknown]uint16
	unknowns    int
}

// scan reads a request and reports whether it is well formed, with the integrity and the fingerprint that ICE wants
// (RFC 8445, section 7.1). What stands behind the integrity is not protected by it, and ignored.
func (s *stunScan) scan(data []byte) bool {
	*s = stunScan{}
	if !isRequest(data) || int(binary.BigEndian.Uint16(data[2:])) != len(data)-stunHeader {
		return false
	}
	for rest := data[stunHeader:]; len(rest) > 0; {
		kind, value, after, ok := nextAttribute(rest)
		if !ok || s.fingerprint != nil {
			return false
		}
		switch {
		case kind == attrFingerprint:
			s.fingerprint = value
		case s.integrity == nil:
			s.note(kind, value)
		}
		rest = after
	}
	return len(s.integrity) == integritySize && len(s.fingerprint) == fingerprintSize
}

// note keeps one attribute up to the integrity.
func (s *stunScan) note(kind uint16, value []byte) {
	switch {
	case kind == attrIntegrity:
		s.integrity = value
	case kind == attrUsername && s.username == nil:
		s.username = value
	case kind == attrUseCandidate:
		s.nominates = true
	case kind == attrICEControlled:
		s.controlled = true
	case !understood(kind) && s.unknowns < maxUnknown:
		s.unknown[s.unknowns] = kind
		s.unknowns++
	}
}

// understood reports whether an attribute may stand in a check: those from 0x8000 on may be ignored, and so may
// those of RFC 8489 and 8445 that a check has no use for (RFC 8489, section 6.3).
func understood(kind uint16) bool {
	switch kind {
	case 0x0001, attrUsername, attrIntegrity, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E, 0x0020, 0x0024,
		attrUseCandidate:
		return true
	default:
		return kind >= 0x8000
	}
}

// names reports whether the USERNAME is the check's exactly: our ufrag, a colon, theirs.
func (s *stunScan) names(c *credentials) bool {
	at := len(c.ufrag)
	return len(s.username) == at+1+len(c.remoteUfrag) && s.username[at] == ':' &&
		string(s.username[:at]) == c.ufrag && string(s.username[at+1:]) == c.remoteUfrag
}
