package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
)

const tokenPrefix = "sha256:"

// NewToken makes a token of 128 bits or more, and what User.Tokens holds of it.
func NewToken() (token, hash string) {
	token = rand.Text()
	return token, HashToken(token)
}

// HashToken makes what User.Tokens holds: sha256: and 64 hexadecimal digits. A token of NewToken needs no slower hash,
// since it can't be guessed.
func HashToken(t string) string {
	sum := sha256.Sum256([]byte(t))
	return tokenPrefix + hex.EncodeToString(sum[:])
}

// parseToken reads what HashToken makes. Its errors don't quote it.
func parseToken(text string) (sum [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, tokenPrefix)
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != len(sum) {
		return sum, errors.New("it is not of the form sha256:…, which `gateway hash-password --token` prints")
	}
	return [sha256.Size]byte(b), nil
}
