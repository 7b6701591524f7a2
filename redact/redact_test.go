package redact

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// I40, J162
func TestURL(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing secret":      {"rtsp://192.0.2.1:554/stream1?channel=1", "rtsp://192.0.2.1:554/stream1?channel=1"},
		"password":            {"rtsp://user:pass@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"empty password":      {"rtsp://user:@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"token as user":       {"rtsp://f00@192.0.2.1/s", "rtsp://***@192.0.2.1/s"},
		"at sign in password": {"rtsp://user:p@ss@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"slash in password":   {"rtsp://user:p@a/ss@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"digits then slash":   {"rtsp://user:12/ss@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"mark in password":    {"rtsp://user:p?a#ss@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"no URL at all":       {"rtsp://user:#@h", "rtsp://user:***@h"},
		"bad escape":          {"rtsp://user:%zz@192.0.2.1/s", "rtsp://user:***@192.0.2.1/s"},
		"spaces":              {"rtsp://us er:p ss@192.0.2.1/s", "rtsp://us er:***@192.0.2.1/s"},
		"IPv6 zone":           {"rtsp://user:pass@[fe80::1%eth0]/s", "rtsp://user:***@[fe80::1%eth0]/s"},
		"no scheme":           {"user:pass@192.0.2.1/s", "user:***@192.0.2.1/s"},
		"address in query":    {"rtsp://192.0.2.1/s?mail=a@b.c", "rtsp://***@b.c"},
		"token in query":      {"whep://h/s?token=abc&x=1", "whep://h/s?token=***&x=1"},
		"all secret names":    {"h?key=a&jwt=b&password=c&secret=d&access_token=e&sig=f", "h?key=***&jwt=***&password=***&secret=***&access_token=***&sig=***"},
		"capitals":            {"http://h/?Password=a&TOKEN=b", "http://h/?Password=***&TOKEN=***"},
		"passphrase of SRT":   {"srt://h:1?mode=caller&passphrase=abc", "srt://h:1?mode=caller&passphrase=***"},
		"key of RTMP":         {"rtmp://h/live/abc-def", "rtmp://h/***"},
		"key and password":    {"RTMPS://user:pass@h:1/live/abc?x=1", "RTMPS://user:***@h:1/***"},
		"key in a sentence":   {`Could not connect to "rtmp://h/live/abc" for reading`, `Could not connect to "rtmp://h/***" for reading`},
		"similar name":        {"http://h/?monkey=a", "http://h/?monkey=a"},
		"part of a name":      {"http://h/?key-frames=a&tokens=2", "http://h/?key-frames=a&tokens=2"},
		"longer names":        {"h?client_secret=a&api_key=b&x-signature=c&accessToken=d&loginpas=e", "h?client_secret=***&api_key=***&x-signature=***&accessToken=***&loginpas=***"},
		"in the path":         {"rtsp://h/user=admin&password=x&c=1", "rtsp://h/user=admin&password=***&c=1"},
		"at sign in a value":  {"http://h/?password=a@b", "http://***"},
		"property":            {"rtspsrc location=x user-id=u user-pw=a@b;c&d latency=0", "*** latency=0"},
		"empty":               {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := URL(c.in); got != c.want {
				t.Errorf("URL(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// I40, J162
func TestText(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing secret": {"no element \"foo\" at 12:30, key frames: 3", "no element \"foo\" at 12:30, key frames: 3"},
		"URL":            {"dial rtsp://u:p@h/s: mail a@b.c", "dial rtsp://u:***@h/s: mail a@b.c"},
		"properties":     {"user-id=u user-pw=a@b;c&d latency=0", "user-id=u user-pw=*** latency=0"},
		"space around":   {"passphrase = a mode=x", "passphrase = *** mode=x"},
		"quoted":         {`user-pw="a \"secret" x='y' token='a secret' n`, `user-pw=*** x='y' token=*** n`},
		"escaped space":  {`user-pw=a\ secret n`, `user-pw=*** n`},
		"not closed":     {`user-pw="a secret n`, `user-pw=***`},
		"structure":      {`extra-headers="h,Authorization=(string)Bearer secret"`, `extra-headers="h,Authorization=(string)***"`},
		"its quotes":     {`extra-headers="h,Authorization=(string)\"Bearer secret\",x=1"`, `extra-headers="h,Authorization=(string)***"`},
		"header":         {"> Authorization: Digest a=secret, b=secret\nnext", "> Authorization: ***\nnext"},
		"bearer":         {"sent bearer secret to it", "sent bearer *** to it"},
		"only a query":   {"GET /s?token=secret&a=1 failed", "GET /s?token=***&a=1 failed"},
		"begins so":      {"token=secret", "token=***"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Text(c.in); got != c.want {
				t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// Whatever a secret is, it does not show in what is printed: neither as a property nor in quotes nor as a parameter.
func FuzzText(f *testing.F) {
	f.Add("user-pw", "hunter2")
	f.Add("passphrase", "a@b/c?d#e&f;g=h")
	f.Add("api-key", `a"b\'c`)
	f.Add("Authorization", "Bearer abc")
	names := regexp.MustCompile("^(?i:user-pw|passphrase|api[-_]?key|authorization|x_token)$")
	f.Fuzz(func(t *testing.T, name, value string) {
		if !names.MatchString(name) || value == "" {
			return
		}
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, " ", `\ `, "\t", `\t`, "\v", `\v`, "\f", `\f`, "\n", `\n`, "\r", `\r`)
		texts := map[string]string{"a %s=%s": escaped.Replace(value), `a %s="%s"`: escaped.Replace(value), "h?%s=%s": url.QueryEscape(value)}
		for form, v := range texts {
			before, _, _ := strings.Cut(fmt.Sprintf(form, name, "\x00"), "\x00")
			for how, got := range map[string]string{"text": Text(fmt.Sprintf(form, name, v)), "URL": URL(fmt.Sprintf(form, name, v))} {
				if left := strings.Trim(strings.TrimPrefix(got, strings.TrimSuffix(before, `"`)), `"`); left != mask && got != mask && left != "a "+mask {
					t.Errorf("as %s, %q of %q shows: %q", how, v, form, got)
				}
			}
		}
	})
}

func FuzzURL(f *testing.F) {
	f.Add("user", "hunter2", "192.0.2.1/s")
	f.Add("u", "a@b/c?d#e", "h")
	f.Fuzz(func(t *testing.T, user, password, rest string) {
		if strings.ContainsAny(user+rest, "@:") || len(secrets(user+":"+password+"@"+rest)) > 0 {
			return // not the userinfo that is meant, or more is hidden than that
		}
		got, want := URL("rtsp://"+user+":"+password+"@"+rest), URL("rtsp://"+user+":x@"+rest)
		if got != want {
			t.Errorf("the password %q shows: %q instead of %q", password, got, want)
		}
	})
}
