package auth

import (
	"strings"
	"testing"
)

const example = "$argon2id$v=19$m=65536,t=1,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"

// I3: which hashes are taken, and what is said of the others.
var hashes = []struct{ name, text, want string }{
	{"of the reference", example, ""},
	{"the most there may be", "$argon2id$v=19$m=262144,t=10,p=64$c2FsdHNhbHQ$aGFzaGhhc2g", ""},
	{"empty", "", "of the form"},
	{"no hash", "secret", "of the form"},
	{"another algorithm", strings.Replace(example, "2id", "2i", 1), "of the form"},
	{"bcrypt", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "of the form"},
	{"one part more", example + "$", "of the form"},
	{"text before", "x" + example, "of the form"},
	{"another version", strings.Replace(example, "v=19", "v=16", 1), "version 19"},
	{"no version", strings.Replace(example, "$v=19", "", 1), "of the form"},
	{"too much memory", strings.Replace(example, "65536", "262145", 1), "m="},
	{"memory that overflows", strings.Replace(example, "65536", "4294967360", 1), "m="},
	{"too little memory", strings.Replace(example, "65536", "31", 1), "eight times"},
	{"no pass", strings.Replace(example, "t=1", "t=0", 1), "t="},
	{"too many passes", strings.Replace(example, "t=1", "t=11", 1), "t="},
	{"no thread", strings.Replace(example, "p=4", "p=0", 1), "p="},
	{"256 threads", strings.Replace(example, "p=4", "p=256", 1), "p="},
	{"negative", strings.Replace(example, "t=1", "t=-1", 1), "t="},
	{"order", strings.Replace(example, "m=65536,t=1", "t=1,m=65536", 1), "m="},
	{"a key more", strings.Replace(example, "p=4", "p=4,keyid=x", 1), "cost"},
	{"salt of 7 bytes", strings.Replace(example, "c2FsdHNhbHQ", "c2FsdHNhbA", 1), "salt is not of 8"},
	{"no salt", strings.Replace(example, "c2FsdHNhbHQ", "", 1), "salt is not of 8"},
	{"salt of 65 bytes", strings.Replace(example, "c2FsdHNhbHQ", strings.Repeat("AAAA", 22), 1), "salt is not of 8"},
	{"padding", strings.Replace(example, "c2FsdHNhbHQ", "c2FsdHNhbHQ=", 1), "base64"},
	{"not canonical", strings.Replace(example, "c2FsdHNhbHQ", "c2FsdHNhbHR", 1), "base64"},
	{"a line break", strings.Replace(example, "c2FsdHNhbHQ", "c2FsdHN\nhbHQ", 1), "base64"},
	{"no hash at the end", strings.TrimSuffix(example, "aGFzaGhhc2g"), "hash is not of 8"},
}

func TestParseArgon(t *testing.T) {
	for _, c := range hashes {
		t.Run(c.name, func(t *testing.T) {
			a, err := parseArgon(c.text)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && a.String() != c.text:
				t.Errorf("%s comes back as %s", c.text, a)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v", err)
			case err != nil && strings.Contains(err.Error(), "c2Fsd"):
				t.Errorf("%v quotes the salt", err)
			}
		})
	}
}

func FuzzParseArgon(f *testing.F) {
	for _, c := range hashes {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseArgon(text)
		if err != nil {
			return
		}
		if a.memory > maxMemory || a.time > maxTime || a.time == 0 || a.threads == 0 || a.memory < 8*uint32(a.threads) {
			t.Errorf("%q costs %+v", text, a)
		}
		if again, err := parseArgon(a.String()); err != nil || again.String() != a.String() {
			t.Errorf("%q comes back as %v, %v", text, again, err)
		}
	})
}

// I3: a hash of ours is right for its password only.
func TestHashPassword(t *testing.T) {
	text, err := HashPassword("a: ü")
	if err != nil {
		t.Fatal(err)
	}
	a, err := parseArgon(text)
	if err != nil {
		t.Fatal(err)
	}
	if a.memory != 64<<10 || len(a.salt) != 16 || len(a.hash) != 32 {
		t.Errorf("%s", text)
	}
	if !a.matches("a: ü") || a.matches("a: u") {
		t.Error("it is right for another password")
	}
	if _, err := HashPassword(""); err == nil {
		t.Error("an empty password is taken")
	}
	if _, err := HashPassword(strings.Repeat("x", maxPassword+1)); err == nil {
		t.Error("a password that no login can have is taken")
	}
}

// I3: tokens have 128 bits or more, no two are the same, and only their hash is kept.
func TestNewToken(t *testing.T) {
	token, hash := NewToken()
	another, _ := NewToken()
	if token == another || len(token) < 26 || strings.Contains(hash, token) || HashToken(token) != hash {
		t.Errorf("%s %s", token, hash)
	}
	if _, err := parseToken(hash); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", token, "sha256:", hash[:70], hash + "00", "sha1" + hash[6:], strings.Replace(hash, ":", ":z", 1)} {
		if _, err := parseToken(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if h := HashToken("\x01"); h != "sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a" {
		t.Error(h) // the hash in the reference
	}
}
