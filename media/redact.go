package media

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

const mask = "***"

// secretName is how a parameter, a property or a field is named whose value is a secret: "stream_key", "user-pw",
// "accessToken".
const secretName = `(?:[a-z0-9]+[-_.])*(?:[a-z]*(?:token|password|passwd|passphrase|secret|api_?key)|` +
	`key|jwt|pass|pwd|pw|sig|signature|auth|loginpass?|cookies?)`

// quoted is a value in quotes, which may stand in quotes themselves, or be left open; or nothing.
const quoted = `(?:"(?:[^"\\]|\\.)*"?|\\+"[^"]*"?|'(?:[^'\\]|\\.)*'?)?`

// secretValues find what is secret, as their one group: the value of a parameter, which ends where the next begins, that
// of a property, which may be quoted and have a type before it, and what a header or a structure says of who asks.
var secretValues = []*regexp.Regexp{
	regexp.MustCompile(`(?i)[?&;/]` + secretName + `=([^&;#\s]*)`),
	regexp.MustCompile(`(?i)(?:^|[^a-z0-9?&;/_.-])` + secretName + `\s*=\s*(?:\(\w+\)\s*)?(` + quoted + `(?:\\.|\S)*)`),
	regexp.MustCompile(`(?i)authorization\s*[=:]\s*(?:\(\w+\)\s*)?(` + quoted + `(?:\\.|[^"\\\r\n])*)`),
	regexp.MustCompile(`(?i)\bbearer\s+([^\s"'\\]+)`),
}

// streamKey finds the path of an RTMP URL, which whoever publishes there keeps secret.
var streamKey = regexp.MustCompile(`(?i)rtmp[a-z]*://[^/\s"']*/([^\s"']+)`)

// RedactURL makes a URL fit to be printed: the password of its userinfo, or all of a userinfo without a colon, the
// values of secret parameters, and the path of an RTMP URL are replaced by "***". A text that is no valid URL, or has
// words around it, is redacted too, and rather too much than too little.
func RedactURL(s string) string { return hide(s, append(secrets(s), inURL(s, 0)...)) }

// RedactText makes a text of many words fit to be printed: what looks like a URL in it as by RedactURL, and the values
// of properties, fields and headers whose names say that they are secret, in whatever word.
func RedactText(s string) string {
	parts := secrets(s)
	for _, at := range words.FindAllStringIndex(s, -1) {
		if word := s[at[0]:at[1]]; strings.Contains(word, "://") || strings.Contains(word, "?") {
			parts = append(parts, inURL(word, at[0])...)
		}
	}
	return hide(s, parts)
}

var words = regexp.MustCompile(`\S+`)

// span is a part of a text, from its first byte to behind its last.
type span struct{ from, to int }

// inURL is what only a URL keeps secret, which stands at offset: its userinfo, and the path of RTMP.
func inURL(s string, offset int) []span {
	parts := password(s)
	for _, m := range streamKey.FindAllStringSubmatchIndex(s, -1) {
		parts = append(parts, span{m[2], m[3]})
	}
	for i := range parts {
		parts[i] = span{parts[i].from + offset, parts[i].to + offset}
	}
	return parts
}

// secrets are the values of what is named as a secret.
func secrets(s string) []span {
	var all []span
	for _, r := range secretValues {
		for _, m := range r.FindAllStringSubmatchIndex(s, -1) {
			all = append(all, span{m[2], m[3]})
		}
	}
	return all
}

// password takes everything up to the last "@" for userinfo: a password that was not percent-encoded may hold any
// delimiter.
func password(s string) []span {
	start := 0
	if i := strings.Index(s, "://"); i >= 0 {
		start = i + len("://")
	}
	at := start + strings.LastIndexByte(s[start:], '@')
	if at < start {
		return nil
	}
	if colon := strings.IndexByte(s[start:at], ':'); colon >= 0 {
		start += colon + 1
	}
	return []span{{start, at}}
}

// hide masks parts of s; those that touch each other get one mask.
func hide(s string, parts []span) string {
	slices.SortFunc(parts, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	at := -1 // behind what is masked already
	for _, p := range parts {
		if p.from > at {
			b.WriteString(s[max(at, 0):p.from] + mask)
		}
		at = max(at, p.to)
	}
	b.WriteString(s[max(at, 0):])
	return b.String()
}
