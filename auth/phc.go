package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Bounds of a hash: what verifying it may cost, and what is too little to be one.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 10
	maxThreads = 64
	minText    = 8 // bytes of salt or hash
	maxText    = 64
)

// argon is a hashed password.
//
// Specification: RFC 9106, in the form of https://github.com/P-H-C/phc-string-format.
type argon struct {
	memory     uint32 // KiB
	time       uint32 // passes
	threads    uint8
	salt, hash []byte
}

// newArgon has the cost of HashPassword, which is RFC 9106's second recommendation with one pass.
func newArgon() *argon {
	a := &argon{memory: 64 << 10, time: 1, threads: 4, salt: make([]byte, 16), hash: make([]byte, 32)}
	_, _ = rand.Read(a.salt) // they never fail
	_, _ = rand.Read(a.hash)
	return a
}

// HashPassword makes what User.Password holds: $argon2id$….
func HashPassword(p string) (string, error) {
	if p == "" {
		return "", errors.New("the password is empty")
	}
	if len(p) > maxPassword {
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	a := newArgon()
	a.hash = a.derive(p)
	return a.String(), nil
}

// String is the hash as users keep it.
func (a *argon) String() string {
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads, text(a.salt), text(a.hash))
}

func (a *argon) derive(p string) []byte {
	return argon2.IDKey([]byte(p), a.salt, a.time, a.memory, a.threads, uint32(len(a.hash)))
}

// matches costs 64 MiB and 50 ms with the parameters of HashPassword.
func (a *argon) matches(p string) bool { return subtle.ConstantTimeCompare(a.derive(p), a.hash) == 1 }

// cost orders hashes by the work they are.
func (a *argon) cost() uint64 { return uint64(a.memory) * uint64(a.time) }
