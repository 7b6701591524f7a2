package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

// nonces makes and checks nonces that need no memory: three bytes of time and six of a keyed hash over the time and
// the source. They are short because the 401 that carries one may not be much longer than the request, and they
// prove that who shows one gets our answers.
type nonces struct{ key [32]byte }

const (
	nonceLifetime = time.Hour
	nonceBytes    = 9
	nonceTime     = 3
)

func newNonces() *nonces {
	var n nonces
	_, _ = rand.Read(n.key[:]) // never fails
	return &n
}

// make returns 12 characters.
func (n *nonces) make(source netip.AddrPort, now time.Time) string {
	sum := n.sum(source, minutes(now))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// valid says whether nonce was made for source within the last hour.
func (n *nonces) valid(nonce string, source netip.AddrPort, now time.Time) bool {
	var got [nonceBytes]byte
	if len(nonce) != base64.RawURLEncoding.EncodedLen(nonceBytes) {
		return false
	}
	if _, err := base64.RawURLEncoding.Decode(got[:], []byte(nonce)); err != nil {
		return false
	}
	made := uint32(got[0])<<16 | uint32(got[1])<<8 | uint32(got[2])
	want := n.sum(source, made)
	age := (minutes(now) - made) & 0xFFFFFF
	return hmac.Equal(got[:], want[:]) && age <= uint32(nonceLifetime/time.Minute)
}

func (n *nonces) sum(source netip.AddrPort, minute uint32) (out [nonceBytes]byte) {
	var text [4 + 16 + 2]byte
	binary.BigEndian.PutUint32(text[:], minute)
	ip := source.Addr().As16()
	copy(text[4:], ip[:])
	binary.BigEndian.PutUint16(text[20:], source.Port())
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(text[:])
	copy(out[:nonceTime], text[1:4])
	copy(out[nonceTime:], mac.Sum(nil))
	return out
}

// minutes wraps around every 31 years.
func minutes(t time.Time) uint32 {
	return uint32(t.Unix()/60) & 0xFFFFFF //nolint:gosec // the low bits are all that is wanted
}
