package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of a key of RSA: weaker ones prove nothing, stronger ones cost too much.
const (
	minRSA = 2048 // bits
	maxRSA = 8192
)

// fits tells whether a public key is one of an algorithm. A key of HMAC never is.
//
// Specification: RFC 7518, section 3.1; RFC 8037.
func fits(k jose.JSONWebKey, a jose.SignatureAlgorithm) bool {
	if k.Algorithm != "" && k.Algorithm != string(a) {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return isRSA(a) && bits >= minRSA && bits <= maxRSA
	case *ecdsa.PublicKey:
		return key.Curve == curve(a)
	case ed25519.PublicKey:
		return a == jose.EdDSA
	default:
		return false
	}
}

func isRSA(a jose.SignatureAlgorithm) bool {
	switch a {
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		return true
	default:
		return false
	}
}

func curve(a jose.SignatureAlgorithm) elliptic.Curve {
	switch a {
	case jose.ES256:
		return elliptic.P256()
	case jose.ES384:
		return elliptic.P384()
	case jose.ES512:
		return elliptic.P521()
	default:
		return nil
	}
}
