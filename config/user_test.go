package config

import (
	"strings"
	"testing"

	"sluice/auth"
)

// I3: what passes here is what package auth takes, and the other way round.
func TestPasswordHashes(t *testing.T) {
	fresh, err := auth.HashPassword("correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	const salt, hash = "c2FsdHNhbHQ", "aGFzaGhhc2g"
	for text, ok := range map[string]bool{
		fresh: true,
		"$argon2id$v=19$m=65536,t=1,p=4$" + salt + "$" + hash:                       true,
		"$argon2id$v=19$m=262144,t=10,p=64$" + salt + "$" + strings.Repeat("a", 84): true,
		"$argon2id$v=19$m=262145,t=1,p=4$" + salt + "$" + hash:                      false,
		"$argon2id$v=19$m=65536,t=11,p=4$" + salt + "$" + hash:                      false,
		"$argon2id$v=19$m=65536,t=1,p=65$" + salt + "$" + hash:                      false,
		"$argon2id$v=19$m=65536,t=0,p=4$" + salt + "$" + hash:                       false,
		"$argon2id$v=19$m=31,t=1,p=4$" + salt + "$" + hash:                          false,
		"$argon2id$v=16$m=65536,t=1,p=4$" + salt + "$" + hash:                       false,
		"$argon2i$v=19$m=65536,t=1,p=4$" + salt + "$" + hash:                        false,
		"$argon2id$v=19$m=65536,t=1,p=4$c2FsdHNhbHR$" + hash:                        false, // bits left over
		"$argon2id$v=19$m=65536,t=1,p=4$" + salt + "=$" + hash:                      false,
		"$argon2id$v=19$m=65536,t=1,p=4$c2FsdA$" + hash:                             false,
		"$argon2id$v=19$m=65536,t=1,p=4$" + salt + "$" + strings.Repeat("a", 88):    false,
		"$argon2id$v=19$m=65536,t=1,p=4$" + salt + "$" + hash + "$":                 false,
		"$argon2id$v=19$m=65536,t=1,p=4$" + salt + "$" + hash + "\n":                false,
		"$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuabcdefghijklmno":         false,
		"hunter2": false,
	} {
		if got := isPasswordHash(text); got != ok {
			t.Errorf("%s: %t", text, got)
		}
		_, err := auth.New(auth.Options{Mode: auth.ModeInternal, Users: []auth.User{{Name: "a", Password: text}}})
		if ok != (err == nil) {
			t.Errorf("%s: package auth says %v", text, err)
		}
	}
}

// J163: shapes are held to 256 of the characters that names have, and no expression among them.
func TestGlobs(t *testing.T) {
	for _, s := range []string{"*", "a*", "*.b", "A-b_c.9", strings.Repeat("*a", 128)} {
		if message := checkGlob(s); message != "" {
			t.Errorf("%q: %s", s, message)
		}
	}
	for _, s := range []string{"", "(a+)+$", "a|b", "a?", "[a]", "a b", "a/b", "\x00", strings.Repeat("*", 257)} {
		if checkGlob(s) == "" {
			t.Errorf("%q is accepted", s)
		}
	}
}
