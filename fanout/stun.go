package fanout

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/pion/stun/v4"
)

// responder answers ICE checks (RFC 8445, section 7.3) as the controlled side. It belongs to one goroutine and has
// no state of a session, so it may serve many.
type responder struct {
	seen    stunScan
	message stun.Message // what came, once it deserves an HMAC
	reply   stun.Message
	key     stun.MessageIntegrity
	scratch [20]byte
}

// check is what came of one message.
type check struct {
	Reply     []byte // to be sent to where the message came from; nil: none. Valid until the next call
	OK        bool   // an authenticated request, answered with success
	Nominated bool   // it nominates its path (USE-CANDIDATE)
}

func newResponder() *responder { return &responder{} }

// answer looks at one message from a path. What is not proved with the password is dropped without an answer; what
// is cheap to refuse, before the HMAC.
func (r *responder) answer(data []byte, from netip.AddrPort, c *credentials) check {
	if !r.seen.scan(data) || !r.seen.names(c) || !r.intact(data) || !r.proved(data, c.pwd) {
		return check{}
	}
	return r.respond(from, c.pwd)
}

// intact checks the FINGERPRINT, which costs less than the HMAC and turns away what is no STUN for us.
func (r *responder) intact(data []byte) bool {
	before := data[:len(data)-fingerprintSize-4]
	return binary.BigEndian.Uint32(r.seen.fingerprint) == stun.FingerprintValue(before)
}

// proved checks the MESSAGE-INTEGRITY, comparing in constant time. The library writes the HMAC that it expects behind
// the message, if there is room.
func (r *responder) proved(data []byte, pwd string) bool {
	r.key = append(r.key[:0], pwd...)
	r.message.Raw = slices.Grow(append(r.message.Raw[:0], data...), integritySize)
	return r.message.Decode() == nil && r.key.Check(&r.message) == nil
}

// respond answers an authenticated request.
func (r *responder) respond(from netip.AddrPort, pwd string) check {
	id := r.message.TransactionID
	switch {
	case r.seen.unknowns > 0:
		r.begin(stun.BindingError, id)
		r.fail(stun.CodeUnknownAttribute)
		r.reply.Add(stun.AttrUnknownAttributes, r.unknowns())
		return check{Reply: r.sealed(pwd)}
	case r.seen.controlled:
		r.begin(stun.BindingError, id)
		r.fail(stun.CodeRoleConflict)
		return check{Reply: r.sealed(pwd)}
	default:
		r.begin(stun.BindingSuccess, id)
		r.reply.Add(stun.AttrXORMappedAddress, r.mapped(from))
		return check{Reply: r.sealed(pwd), OK: true, Nominated: r.seen.nominates}
	}
}

func (r *responder) begin(kind stun.MessageType, id [stun.TransactionIDSize]byte) {
	r.reply.Reset()
	r.reply.Type, r.reply.TransactionID = kind, id
	r.reply.WriteHeader()
}

// fail adds an ERROR-CODE (RFC 8489, section 14.8) without a reason.
func (r *responder) fail(code stun.ErrorCode) {
	r.reply.Add(stun.AttrErrorCode, append(r.scratch[:0], 0, 0, byte(code/100), byte(code%100)))
}

func (r *responder) unknowns() []byte {
	list := r.scratch[:0]
	for _, kind := range r.seen.unknown[:r.seen.unknowns] {
		list = binary.BigEndian.AppendUint16(list, kind)
	}
	return list
}

// mapped is the value of XOR-MAPPED-ADDRESS (RFC 8489, section 14.2): family, port and address, the last two
// combined with the cookie and the transaction ID.
func (r *responder) mapped(from netip.AddrPort) []byte {
	family, address := byte(1), from.Addr().Unmap()
	if address.Is6() {
		family = 2
	}
	v := append(r.scratch[:0], 0, family)
	v = binary.BigEndian.AppendUint16(v, from.Port())
	if a := address.As16(); family == 1 {
		v = append(v, a[12:]...)
	} else {
		v = append(v, a[:]...)
	}
	v[2] ^= r.reply.Raw[4]
	v[3] ^= r.reply.Raw[5]
	for i := range v[4:] {
		v[4+i] ^= r.reply.Raw[4+i]
	}
	return v
}

// sealed ends a message with MESSAGE-INTEGRITY and FINGERPRINT. Nothing that it does can fail.
func (r *responder) sealed(pwd string) []byte {
	r.key = append(r.key[:0], pwd...)
	if r.key.AddTo(&r.reply) != nil || stun.Fingerprint.AddTo(&r.reply) != nil {
		return nil
	}
	return r.reply.Raw
}
