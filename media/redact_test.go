package media

import (
	"strings"
	"testing"
)

// I40, J162
func TestRedactURL(t *testing.T) {
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
		"empty":               {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := RedactURL(c.in); got != c.want {
				t.Errorf("RedactURL(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func FuzzRedactURL(f *testing.F) {
	f.Add("user", "hunter2", "192.0.2.1/s")
	f.Add("u", "a@b/c?d#e", "h")
	f.Fuzz(func(t *testing.T, user, password, rest string) {
		if strings.ContainsAny(user+rest, "@:") {
			return // not the userinfo that is meant
		}
		got, want := RedactURL("rtsp://"+user+":"+password+"@"+rest), RedactURL("rtsp://"+user+":x@"+rest)
		if got != want {
			t.Errorf("the password %q shows: %q instead of %q", password, got, want)
		}
	})
}
