package media

import (
	"regexp"
	"strings"
)

const mask = "***"

// secretValue finds the values of query parameters that are secrets.
var secretValue = regexp.MustCompile(`(?i)([?&;](?:access_token|token|key|jwt|password|passwd|passphrase|pass|pwd|secret|sig)=)[^&;#\s]*`)

// streamKey finds the path of an RTMP URL, which whoever publishes there keeps secret.
var streamKey = regexp.MustCompile(`(?i)(rtmp[a-z]*://[^/\s"']*/)[^\s"']+`)

// RedactURL makes a URL fit to be printed: the password of its userinfo, or all of a userinfo without a colon, the
// values of secret query parameters, and the path of an RTMP URL are replaced by "***". A text that is no valid URL is
// redacted too, and rather too much than too little.
func RedactURL(s string) string {
	s = streamKey.ReplaceAllString(redactUserinfo(s), "${1}"+mask)
	return secretValue.ReplaceAllString(s, "${1}"+mask)
}

// redactUserinfo takes everything up to the last "@" for userinfo: a password that was not percent-encoded may
// hold any delimiter.
func redactUserinfo(s string) string {
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	at := start + strings.LastIndexByte(s[start:], '@')
	if at < start {
		return s
	}
	user, _, found := strings.Cut(s[start:at], ":")
	if !found {
		return s[:start] + mask + s[at:]
	}
	return s[:start] + user + ":" + mask + s[at:]
}
