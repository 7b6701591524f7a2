package config

import (
	"regexp"
	"strings"

	"sluice/redact"
)

// hidden stands for what comes from elsewhere, as in what is redacted.
const hidden = "***"

var anyRef = regexp.MustCompile(`\$\{[^}]*\}`)

// mask makes a value fit to be shown in a fault.
func mask(s string) string { return redact.URL(s) }

// holdsSecret tells whether s, a URL or a pipeline before its references are replaced, has a password that stands there
// itself.
func holdsSecret(s string) bool {
	s = anyRef.ReplaceAllString(s, hidden)
	for rest := s; strings.Contains(rest, "://"); _, rest, _ = strings.Cut(rest, "://") { // a pipeline may have several URLs
		authority := authorityOf(rest)
		at := max(strings.LastIndexByte(authority, '@'), 0)
		if _, password, _ := strings.Cut(authority[:at], ":"); strings.Trim(password, "*") != "" {
			return true
		}
	}
	return redact.Shows(s)
}

// standsInFile tells whether any of s, the text of a secret, comes from the file itself.
func standsInFile(s string) bool { return withoutReferences(s) != "" }

func withoutReferences(s string) string { return anyRef.ReplaceAllString(s, "") }

// authorityOf returns what stands between the scheme and the path: user, password, host and port (RFC 3986 3.2).
func authorityOf(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}
