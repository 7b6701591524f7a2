package media

import (
	"net/url"
	"regexp"
	"strings"
)

const mask = "***"

// secretValue finds the values of query parameters that are secrets.
var secretValue = regexp.MustCompile(`(?i)([?&;](?:access_token|token|key|jwt|password|passwd|pass|pwd|secret|sig)=)[^&;#\s]*`)

// RedactURL makes a URL fit to be printed: the password of its userinfo, or all of a userinfo without a colon,
// and the values of secret query parameters are replaced by "***". A text that is no valid URL is redacted
// too, rather too much than too little.
func RedactURL(s string) string {
	return secretValue.ReplaceAllString(redactUserinfo(s), "${1}"+mask)
}

func redactUserinfo(s string) string {
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	at := userinfoEnd(s, start)
	if at < 0 {
		return s
	}
	user, _, found := strings.Cut(s[start:at], ":")
	if !found {
		return s[:start] + mask + s[at:]
	}
	return s[:start] + user + ":" + mask + s[at:]
}

// userinfoEnd is the index of the "@" behind the userinfo, -1 if there is none. A password that was not
// percent-encoded may hold any delimiter, so every "@" of the path counts, and in a URL that does not parse
// every one of the query.
func userinfoEnd(s string, start int) int {
	end := len(s)
	if _, err := url.Parse(s); err == nil {
		if i := strings.IndexAny(s[start:], "?#"); i >= 0 {
			end = start + i
		}
	}
	if i := strings.LastIndexByte(s[start:end], '@'); i >= 0 {
		return start + i
	}
	return -1
}
