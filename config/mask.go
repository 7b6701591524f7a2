package config

import (
	"regexp"
	"strings"
)

// secretName is as package media has it, of which this package knows nothing; a test compares them.
const secretName = `(?:[a-z0-9]+[-_.])*(?:[a-z]*(?:token|password|passwd|passphrase|secret|api_?key)|` +
	`key|jwt|pass|pwd|pw|sig|signature|auth|loginpass?|cookies?)`

var (
	secretValue = regexp.MustCompile(`(?i)((?:^|[^a-z0-9])(?:` + secretName + `|authorization)\s*=(?:\(\w+\))?[\\"']*)([^&#;\s"'\\]+)`)
	anyRef      = regexp.MustCompile(`\$\{[^}]*\}`)
)

// mask replaces what a URL keeps secret: user and password, and values such as that of token= in path or
// query. It works on text that is no URL, so that a fault can show it: there, it hides too much before too little.
func mask(s string) string {
	if userinfo, start := userinfoOf(s); userinfo != "" {
		if secretValue.MatchString(userinfo) { // the @ may be in the value
			return s[:start] + "***"
		}
		s = s[:start] + "***" + s[start+len(userinfo):]
	}
	return secretValue.ReplaceAllString(s, "${1}***")
}

// holdsSecret tells whether s, a URL or a pipeline before its references are replaced, has a password that stands there
// itself.
func holdsSecret(s string) bool {
	s = withoutReferences(s)
	for rest := s; strings.Contains(rest, "://"); _, rest, _ = strings.Cut(rest, "://") { // a pipeline may have several URLs
		authority := authorityOf(rest)
		at := max(strings.LastIndexByte(authority, '@'), 0)
		if _, password, _ := strings.Cut(authority[:at], ":"); password != "" {
			return true
		}
	}
	return secretValue.MatchString(s)
}

// standsInFile tells whether any of s, the text of a secret, comes from the file itself.
func standsInFile(s string) bool { return withoutReferences(s) != "" }

func withoutReferences(s string) string { return anyRef.ReplaceAllString(s, "") }

// userinfoOf returns what stands before the last @ and after the scheme, and where it starts. A password with
// an unescaped / or @ is in it whole.
func userinfoOf(s string) (userinfo string, start int) {
	end := strings.LastIndexByte(s, '@')
	if end < 0 {
		return "", 0
	}
	if i := strings.Index(s[:end], "://"); i >= 0 {
		start = i + len("://")
	}
	return s[start:end], start
}

// authorityOf returns what stands between the scheme and the path: user, password, host and port (RFC 3986 3.2).
func authorityOf(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
