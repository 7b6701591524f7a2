package turn

import (
	"strings"
	"testing"
	"time"
)

// G2: the value is that of
// printf '1700003600:session-1' | openssl dgst -sha1 -hmac 'a shared secret of 28 bytes!' -binary | base64
func TestMintAgreesWithOpenSSL(t *testing.T) {
	username, credential := Mint(secret, "session-1", time.Hour, time.Unix(1700000000, 0))
	if want := "1700003600:session-1"; username != want {
		t.Errorf("user name %q, want %q", username, want)
	}
	if want := "vR53vxfBLLa8gkcMb86awG2tfUc="; credential != want {
		t.Errorf("credential %q, want %q", credential, want)
	}
}

var usernames = []struct {
	name, username, id string
	ok                 bool
}{
	{"good", "1700003600:session-1", "session-1", true},
	{"expires now", "1700000000:x", "x", true},
	{"expired", "1699999999:x", "x", false},
	{"a day ahead", "1700086400:x", "x", true},
	{"a day and a minute ahead", "1700086460:x", "x", true},
	{"more", "1700086461:x", "x", false},
	{"ten years ahead", "2015000000:x", "x", false},
	{"no colon", "abc", "", false},
	{"no expiry", ":x", "", false},
	{"no id", "1700003600:", "", false},
	{"more than 64 bits", "99999999999999999999:x", "", false},
	{"negative", "-1:x", "", false},
	{"plus", "+1700003600:x", "", false},
	{"float", "1e9:x", "", false},
	{"underscore", "1_700_003_600:x", "", false},
	{"space", " 1700003600:x", "", false},
	{"two colons", "1700003600:x:y", "", false},
	{"NUL", "1700003600:x\x00", "", false},
	{"at sign", "1700003600:alice@example.org", "", false},
	{"64", "1700003600:" + strings.Repeat("x", 64), strings.Repeat("x", 64), true},
	{"65", "1700003600:" + strings.Repeat("x", 65), "", false},
	{"64 KiB", strings.Repeat("1", 1<<16), "", false},
}

// G3, J96
func TestParseUsername(t *testing.T) {
	now := time.Unix(1700000000, 0)
	for _, c := range usernames {
		t.Run(c.name, func(t *testing.T) {
			id, ok := parseUsername(c.username, now, 0)
			if ok != c.ok || ok && id != c.id {
				t.Errorf("%q, %v; want %q, %v", id, ok, c.id, c.ok)
			}
		})
	}
}

func FuzzParseUsername(f *testing.F) {
	for _, c := range usernames {
		f.Add(c.username)
	}
	now := time.Unix(1700000000, 0)
	f.Fuzz(func(t *testing.T, username string) {
		id, ok := parseUsername(username, now, 0)
		if !ok {
			return
		}
		if !validID(id) || !strings.HasSuffix(username, ":"+id) || strings.Count(username, ":") != 1 {
			t.Errorf("%q passed as %q", username, id)
		}
	})
}

func TestNonces(t *testing.T) {
	n, now := newNonces(), time.Unix(1700000000, 0)
	here, there := udpPort(1), udpPort(2)
	nonce := n.make(here, now)
	if len(nonce) != 12 {
		t.Errorf("%q has %d characters", nonce, len(nonce))
	}
	cases := []struct {
		name  string
		valid bool
		got   bool
	}{
		{"at once", true, n.valid(nonce, here, now)},
		{"within the hour", true, n.valid(nonce, here, now.Add(59*time.Minute))},
		{"after it", false, n.valid(nonce, here, now.Add(62*time.Minute))},
		{"before it was made", false, n.valid(nonce, here, now.Add(-2*time.Minute))},
		{"from elsewhere", false, n.valid(nonce, there, now)},
		{"of another server", false, newNonces().valid(nonce, here, now)},
		{"changed", false, n.valid("AAAA"+nonce[4:], here, now)},
		{"cut", false, n.valid(nonce[:11], here, now)},
		{"no base64", false, n.valid("%%%%%%%%%%%%", here, now)},
		{"none", false, n.valid("", here, now)},
	}
	for _, c := range cases {
		if c.got != c.valid {
			t.Errorf("%s: %v", c.name, c.got)
		}
	}
}
