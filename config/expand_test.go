package config

import (
	"strings"
	"testing"

	"sluice/media"
)

// I41, J157.
func TestExpand(t *testing.T) {
	secret := tempFile(t, "secret", "p%40ss\r\n", 0o600)
	twoLines := tempFile(t, "two", "a\n\n", 0o600)
	large := tempFile(t, "large", strings.Repeat("x", maxSecretBytes+1), 0o600)
	env := newEnvironment([]string{"USER=alice", "EMPTY=", "_X1=${USER}"})
	for _, tc := range []struct{ name, in, want, fault string }{
		{"nothing", "a$b{c}$$", "a$b{c}$$", ""},
		{"variables", "${USER}:${EMPTY}@${USER}", "alice:@alice", ""},
		{"literal", "$${USER} $$${USER}", "${USER} $${USER}", ""},
		{"not again", "${_X1}", "${USER}", ""},
		{"file", "x${file:" + secret + "}y", "xp%40ssy", ""},
		{"one newline only", "${file:" + twoLines + "}", "a\n", ""},
		{"missing", "${MISSING}", "", "needs the environment variable MISSING, which is not set"},
		{"missing file", "${file:/nonexistent}", "", `needs the file "/nonexistent": no such file or directory`},
		{"relative file", "${file:x}", "", "must begin with /"},
		{"directory", "${file:/}", "", "not a regular file"},
		{"device", "${file:/dev/zero}", "", "not a regular file"},
		{"large file", "${file:" + large + "}", "", "more than 64 KiB"},
		{"bad name", "${a-b\x1b}", "", "has ${a-b�}, which is neither"},
		{"no name", "${}", "", "has ${}, which is neither"},
		{"open", "a${USER", "", "has a ${ without its }"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := env.expand(tc.in, false)
			if tc.fault == "" && (err != nil || got != tc.want) {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
			if tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault)) {
				t.Errorf("got %v, want %s", err, tc.fault)
			}
		})
	}
}

// I40: what a fault shows of a URL. Of a broken one, rather too little.
func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"rtsp://cam:554/a":                     "rtsp://cam:554/a",
		"rtsp://user:pw@cam/a":                 "rtsp://user:***@cam/a",
		"rtsp://token@cam":                     "rtsp://***@cam",
		"rtsp://user:p@w/x@cam/a":              "rtsp://user:***@cam/a",
		"user:pw@cam":                          "user:***@cam",
		"rtsp://cam/?a=1&TOKEN=x&b=2":          "rtsp://cam/?a=1&TOKEN=***&b=2",
		"rtsp://cam/user=admin&password=x&c=1": "rtsp://cam/user=admin&password=***&c=1",
		"rtsp://cam/?access_token=x;sig=y":     "rtsp://cam/?access_token=***;sig=***",
		"rtsp://cam/?password=x@y":             "rtsp://***",
		"rtsp://cam/?monkey=x":                 "rtsp://cam/?monkey=x",
	} {
		if got := mask(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// I40: the same names are secret here and in what is logged.
func TestSecretNames(t *testing.T) {
	for _, name := range []string{
		"token", "access_token", "authToken", "key", "stream-key", "apikey", "api_key", "jwt", "password", "rtsp.passwd", "passphrase", "pass",
		"pwd", "user-pw", "pw", "secret", "clientSecret", "sig", "signature", "auth", "Authorization", "loginpas", "loginpass", "cookies",
		"monkey", "keyframes", "bypass", "user", "location", "tokens",
	} {
		text := "rtsp://cam/?" + name + "=x"
		if got, want := mask(text), media.RedactURL(text); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		pipeline := "src " + name + `="x" ! sink`
		if got, want := holdsSecret(pipeline), media.RedactText(pipeline) != pipeline; got != want {
			t.Errorf("%s: a secret in the file: %v, want %v", name, got, want)
		}
		if text := "src " + name + "=${X} ! sink " + name + `="${X}"`; holdsSecret(text) {
			t.Errorf("a secret in the file: %s", text)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "allow_origins", "level"}
	for word, want := range map[string]string{
		"lisetn": "listen", "lissten": "listen", "alow_origin": "allow_origins", "lveel": "level", "Level": "level",
		"x": "", "port": "", "": "", strings.Repeat("listen", 100): "",
	} {
		if got := nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// J163, A23: names in lists have a length.
func TestLists(t *testing.T) {
	long := strings.Repeat("a.", 128) + "a"
	for _, tc := range []struct {
		name  string
		check func(string) string
		good  []string
		bad   []string
	}{
		{"origins", checkOrigin, []string{"*", "https://a.example", "http://127.0.0.1:80"}, []string{"", "a.example", "https://a.example/", "https://u:p@a.example/x", "ftp://a.example", "https://*.example/", "null"}},
		{"hosts", checkHost, []string{"192.0.2.1", "::1", "a", "a_b.example.org.", "xn--a-b.example"}, []string{"", "0.0.0.0", "224.0.0.1", "fe80::1%eth0", "192.0.2.1:80", "a b", "-a", "192.0.2", "[::1]", "a..b"}},
		{"ICE servers", checkICEURL, []string{"stun:a", "stuns:a:1", "turn:192.0.2.1?transport=tcp", "turns:[2001:db8::1]:5349?transport=udp"}, []string{"", "stun", "stun:", "stun:a:", "stun:a:65536", "turn:a?transport=tls", "turn:a/b", "turn:a#b", "turn:0.0.0.0", "stun:a\nb", "stun:" + long}},
		{"interfaces", checkInterface, []string{"eth0", "br-0123456789ab"}, []string{"", "a b", "a/b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, s := range tc.good {
				if message := tc.check(s); message != "" {
					t.Errorf("%q: %s", s, message)
				}
			}
			for _, s := range tc.bad {
				if tc.check(s) == "" {
					t.Errorf("%q is accepted", s)
				}
			}
		})
	}
	c := Default()
	c.WebRTC.AdditionalHosts = []string{"a", long}
	if err := c.Validate(); err == nil || err.Error() != "webrtc.additional_hosts[1]: is longer than 256 characters" {
		t.Errorf("long name: %v", err)
	}
}
