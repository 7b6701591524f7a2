package fanout

import (
	"crypto"
	_ "crypto/sha256" // SHA-256
	_ "crypto/sha512" // SHA-384 and SHA-512
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"sluice/negotiation"
)

// fingerprintHash is the hash function of a fingerprint (RFC 8122, section 5), if it is one to trust.
func fingerprintHash(algorithm string) (crypto.Hash, bool) {
	switch algorithm {
	case "sha-256":
		return crypto.SHA256, true
	case "sha-384":
		return crypto.SHA384, true
	case "sha-512":
		return crypto.SHA512, true
	default:
		return 0, false
	}
}

// matches reports whether a certificate (DER) has one of the fingerprints, comparing in constant time.
func matches(certificate []byte, want []negotiation.Fingerprint) bool {
	for _, f := range want {
		hash, ok := fingerprintHash(f.Algorithm)
		if !ok {
			continue
		}
		value, err := hex.DecodeString(strings.ReplaceAll(f.Value, ":", ""))
		if err == nil && subtle.ConstantTimeCompare(digest(hash, certificate), value) == 1 {
			return true
		}
	}
	return false
}

// fingerprint is that of our certificate, as an answer says it.
func (h *handshaker) fingerprint() string {
	pairs := strings.ReplaceAll(fmt.Sprintf("% X", digest(crypto.SHA256, h.certificate)), " ", ":")
	return "sha-256 " + pairs
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}
