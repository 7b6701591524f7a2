package redact

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// canary is a secret that nothing of it may show. It has the characters of all forms below.
const canary = "C4naryC4naryC4naryC4nary"

// forms are the ways in which the gateway meets secrets; %s is the secret.
var forms = map[string]string{
	"userinfo":                `rtsp://user:%s@192.0.2.1/s`,
	"token as userinfo":       `rtsp://%s@192.0.2.1/s`,
	"query":                   `GET /door/whep?token=%s&x=1 HTTP/1.1`,
	"second parameter":        `wss://h/ws?x=1&access_token=%s`,
	"Bearer":                  `Authorization: Bearer %s`,
	"Basic":                   `Authorization: Basic %s`,
	"no scheme":               `authorization: %s`,
	"scheme alone":            `got bearer %s from 192.0.2.1`,
	"Basic alone":             `got Basic %s== from 192.0.2.1`,
	"proxy":                   `Proxy-Authorization: Digest username="u", response="%s"`,
	"cookie":                  `Cookie: a=b; sluice_session=%s`,
	"cookie that is set":      `Set-Cookie: sluice_session=%s; HttpOnly`,
	"cookie's value alone":    `sluice_session=%s`,
	"SDP":                     "a=ice-ufrag:abcd\r\na=ice-pwd:%s\r\na=mid:0",
	"SDP in quotes":           `"a=ice-ufrag:abcd\r\na=ice-pwd:%s\r\na=mid:0"`,
	"TURN link":               `<turn:h:3478?transport=udp>; rel="ice-server"; username="1700000000:ab"; credential="%s"; credential-type="password"`,
	"JSON":                    `{"user":"u","password":"%s","x":1}`,
	"JSON with space":         `{"token" : "%s"}`,
	"JSON in a string":        `{"body":"{\"credential\":\"%s\"}"}`,
	"JSON list":               `{"tokens":["a"],"token":["%s"]}`,
	"struct":                  `{User:u Password:%s Expires:1}`,
	"struct with types":       `auth.Credentials{Token:"%s", User:"u"}`,
	"map":                     `map[Authorization:[Bearer %s] Accept:[a]]`,
	"map of values":           `map[token:[%s] x:[1]]`,
	"property":                `rtspsrc location=rtsp://h user-pw=%s latency=0`,
	"quoted property":         `rtspsrc user-pw="a %s b" latency=0`,
	"argon2id":                `$argon2id$v=19$m=65536,t=1,p=4$%s$%[1]s`,
	"JWT":                     `jwt eyJhbGciOiJFUzI1NiJ9.%s.%[1]s is expired`,
	"private key":             "-----BEGIN EC PRIVATE KEY-----\n%s\n-----END EC PRIVATE KEY-----",
	"private key that is cut": "-----BEGIN PRIVATE KEY-----\n%s",
	"session":                 `DELETE /door/whep/abcdef%s`,
	"publisher's session":     `Location: https://h/a/whip/abcdef%s/sse`,
	"session in the API":      `GET /api/v1/sessions/abcdef%s`,
	"RTMP":                    `rtmps://live.example.org/app/%s`,
	"stream key":              `https://x.whip.livekit.cloud/w/%s`,
	"SRT":                     `srt://h:1?mode=caller&passphrase=%s`,
}

// I40: whatever form a secret comes in, and whatever stands around it.
func TestHostileTexts(t *testing.T) {
	for name, form := range forms {
		text := fmt.Sprintf(form, canary)
		for where, s := range map[string]string{
			"alone": text, "in a sentence": `dial "x": ` + text + `: no route to host`, "after a line": "first\n" + text + "\nlast",
			"twice": text + " " + text, "after a quote": `"` + text, "in Go's quotes": fmt.Sprintf("%q", text), "as an error": fmt.Sprintf("%v", fmt.Errorf("a: %w", &url.Error{Op: "Get", URL: text, Err: http.ErrBodyNotAllowed})),
		} {
			t.Run(name+", "+where, func(t *testing.T) {
				got := Text(s)
				if strings.Contains(got, canary) {
					t.Errorf("%q is shown as %q", s, got)
				}
				if !strings.Contains(got, mask) || Text(got) != got {
					t.Errorf("%q becomes %q, then %q", s, got, Text(got))
				}
			})
		}
	}
}

// What is no secret stays as it is.
func TestHarmlessTexts(t *testing.T) {
	for _, s := range []string{
		"", "listening", "dial tcp 192.0.2.1:554: connect: connection refused", "http://127.0.0.1:8889/door/whep", "/door/whip", "/door/publish",
		"authentication failed: no credentials", "auth: mode is internal", "the key: bad PEM", "token: it has expired", "password is missing",
		"keyframes=3 dropped=1", "bearer", "a=ice-ufrag:abcd", "sha256: no such file", "the basic idea", "SHA-256 AB:CD", "stream=door session=abcdef",
		`{"name":"door","state":"ready"}`, "2001:db8::1", "/api/v1/sessions", "m=65536,t=1,p=4", "user@example.org", "https://h/w/whep",
	} {
		if got := Text(s); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

func TestSessionID(t *testing.T) {
	for id, want := range map[string]string{"abcdefghijklmnopqrstuv": "abcdef", "abc": "abc", "": ""} {
		if got := SessionID(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
	if got, want := Text("/door/whep/abcdefghijklmnopqrstuv/sse"), "/door/whep/abcdef***/sse"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestShows(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "token=x": true, `token="x"`: true, "token=***": false, `token="***"`: false, "token=half***": true, "x=y": false, "rtsp://u:p@h": false,
	} {
		if got := Shows(s); got != want {
			t.Errorf("%q: %t", s, got)
		}
	}
}

// I40: no text makes it panic, grow without bound or go on for ever; what it has hidden it hides again; and no secret
// shows for what stands before it.
func FuzzHostile(f *testing.F) {
	names := slices.Sorted(maps.Keys(forms))
	for i, name := range names {
		f.Add(fmt.Sprintf(forms[name], "x"), "a=\"", byte(i))
	}
	f.Add("token=\"a\\", "' pw=(", byte(0))
	f.Add("user:***@***", "\x00\xff", byte(0))
	f.Fuzz(func(t *testing.T, s, before string, form byte) {
		for how, redact := range map[string]func(string) string{"text": Text, "URL": URL} {
			got := redact(s)
			if again := redact(got); again != got {
				t.Errorf("%s: %q becomes %q, then %q", how, s, got, again)
			}
			if len(got) > (1+len(mask))*(len(s)+1) {
				t.Errorf("%s: %d bytes become %d", how, len(s), len(got))
			}
		}
		name := names[int(form)%len(names)]
		if text := before + "\n" + fmt.Sprintf(forms[name], canary); strings.Contains(Text(text), canary) {
			t.Errorf("%s: %q shows the secret: %q", name, text, Text(text))
		}
	})
}
