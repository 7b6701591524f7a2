package turn

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// request is a STUN request other than Binding, while it is handled.
type request struct {
	msg    *stun.Message
	client netip.AddrPort
	id     string                // of the credentials, once they are found right
	key    stun.MessageIntegrity // nil until then
	slot   *slot                 // taken for an Allocate
}

// authenticate says which error asks for credentials, 0 if there are right ones. Specification: RFC 8489 section 9.2.4.
func (s *Server) authenticate(r *request, now time.Time) stun.ErrorCode {
	if !r.msg.Contains(stun.AttrMessageIntegrity) {
		s.counters.challenges.Add(1)
		return stun.CodeUnauthorized
	}
	username, e1 := r.msg.Get(stun.AttrUsername)
	realm, e2 := r.msg.Get(stun.AttrRealm)
	nonce, e3 := r.msg.Get(stun.AttrNonce)
	switch {
	case e1 != nil || e2 != nil || e3 != nil:
		return stun.CodeBadRequest
	case !s.nonces.valid(string(nonce), r.client, now):
		return stun.CodeStaleNonce
	}
	id, ok := s.verify(r.msg, string(username), now)
	if !ok || string(realm) != s.o.Realm || s.barred(r.msg, id) {
		s.counters.refuse(Unauthorized)
		r.key = nil
		return stun.CodeUnauthorized
	}
	r.id, r.key = id, longTermKey(string(username), s.o.Realm, password(s.terms.Load().secret, string(username)))
	return 0
}

// verify takes as long for a user name that is malformed or expired as for a wrong password. Only new allocations and
// refreshes ask for a credential that has not expired: one may expire under an allocation, which lives maxLifetime more.
func (s *Server) verify(m *stun.Message, username string, now time.Time) (id string, ok bool) {
	key := stun.MessageIntegrity(longTermKey(username, s.o.Realm, password(s.terms.Load().secret, username)))
	right := key.Check(m) == nil
	grace := maxLifetime
	if renews(m) {
		grace = 0
	}
	id, valid := parseUsername(username, now, grace)
	return id, valid && right
}

// barred says whether a revoked id asks for more; it may always end what it has.
func (s *Server) barred(m *stun.Message, id string) bool { return renews(m) && s.revoked.has(id) }

// renews says whether a request makes an allocation or keeps one for longer.
func renews(m *stun.Message) bool {
	switch m.Type.Method {
	case stun.MethodAllocate:
		return true
	case stun.MethodRefresh:
		lifetime, err := m.Get(stun.AttrLifetime)
		return err != nil || len(lifetime) != 4 || binary.BigEndian.Uint32(lifetime) != 0
	}
	return false
}

// resigned is the request as pion gets it: what follows MESSAGE-INTEGRITY is gone, the lifetime is at most maxLifetime,
// and the nonce is pion's own.
func (r *request) resigned(nonce string) ([]byte, error) {
	out := &stun.Message{TransactionID: r.msg.TransactionID, Type: r.msg.Type}
	out.WriteHeader()
	for _, a := range r.msg.Attributes {
		switch a.Type {
		case stun.AttrMessageIntegrity, stun.AttrMessageIntegritySHA256, stun.AttrFingerprint:
		case stun.AttrNonce:
			out.Add(a.Type, []byte(nonce))
		case stun.AttrLifetime:
			out.Add(a.Type, cappedLifetime(a.Value))
		default:
			out.Add(a.Type, a.Value)
		}
	}
	err := r.key.AddTo(out)
	return out.Raw, err
}

// maxLifetime of an allocation between refreshes. Longer wishes are granted this much, so that nothing outlives
// its credentials, or their revocation, by more.
const maxLifetime = 10 * time.Minute

func cappedLifetime(value []byte) []byte {
	if len(value) != 4 {
		return value
	}
	seconds := min(binary.BigEndian.Uint32(value), uint32(maxLifetime/time.Second))
	return binary.BigEndian.AppendUint32(nil, seconds)
}

// answer builds an error response. Reasons in words are left away: they make the answer longer than may be.
func (r *request) answer(code stun.ErrorCode, more ...stun.Setter) []byte {
	m := &stun.Message{TransactionID: r.msg.TransactionID}
	m.Type = stun.NewType(r.msg.Type.Method, stun.ClassErrorResponse)
	m.WriteHeader()
	m.Add(stun.AttrErrorCode, []byte{0, 0, byte(code / 100), byte(code % 100)}) //nolint:gosec // 300 to 699
	for _, s := range more {
		if s.AddTo(m) != nil {
			return nil
		}
	}
	if r.key != nil && r.key.AddTo(m) != nil {
		return nil
	}
	return m.Raw
}
