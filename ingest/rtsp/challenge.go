package rtsp

import (
	"slices"
	"strings"
)

// challenge is one scheme that a WWW-Authenticate header offers.
//
// Specification: RFC 7616 3.3, RFC 2069 2.1.1, RFC 7617 2.
type challenge struct {
	scheme string            // in lower case
	params map[string]string // names in lower case
}

// The digest algorithms that can be answered, strongest first, as cameras write them: RFC 7616 says
// SHA-512-256, some firmware says SHA-512/256.
var algorithms = []string{"sha-512-256", "sha-256", "md5"}

// algorithm is the digest algorithm without "-sess", in lower case.
func (c challenge) algorithm() string {
	a := strings.ToLower(c.params["algorithm"])
	a = strings.TrimSuffix(strings.ReplaceAll(a, "/", "-"), "-sess")
	switch a {
	case "", "md5":
		return "md5"
	case "sha256":
		return "sha-256"
	case "sha512-256":
		return "sha-512-256"
	}
	return a
}

// session reports whether the algorithm is one of the "-sess" forms.
func (c challenge) session() bool {
	return strings.HasSuffix(strings.ToLower(c.params["algorithm"]), "-sess")
}

// stale reports whether only the nonce was too old.
func (c challenge) stale() bool { return strings.EqualFold(c.params["stale"], "true") }

// strength orders challenges, the best first; -1 is one that cannot be answered.
func (c challenge) strength() int {
	if c.scheme == "digest" {
		return slices.Index(algorithms, c.algorithm())
	}
	if c.scheme == "basic" {
		return len(algorithms)
	}
	return -1
}

// strongest picks the best challenge that can be answered.
func strongest(all []challenge) (best challenge, found bool) {
	for _, c := range all {
		if s := c.strength(); s >= 0 && (!found || s < best.strength()) {
			best, found = c, true
		}
	}
	return best, found
}

// parseChallenges reads WWW-Authenticate headers, each of which may hold several challenges. It never fails:
// what makes no sense is left out, quotes may be missing, and names come in any case.
func parseChallenges(headers []string) []challenge {
	var all []challenge
	for _, h := range headers {
		for _, raw := range splitUnquoted(h) {
			part, begins := cutScheme(raw, &all)
			if begins && part == "" || len(all) == 0 {
				continue
			}
			if name, value, found := strings.Cut(part, "="); found {
				name = strings.ToLower(strings.TrimSpace(name))
				all[len(all)-1].params[name] = unquote(strings.TrimSpace(value))
			}
		}
	}
	return all
}

// cutScheme begins a new challenge if part starts with a scheme: a word before a blank, or alone.
func cutScheme(part string, all *[]challenge) (rest string, begins bool) {
	word, rest, _ := strings.Cut(part, " ")
	if word == "" || strings.Contains(word, "=") || strings.HasPrefix(strings.TrimSpace(rest), "=") {
		return part, false
	}
	*all = append(*all, challenge{strings.ToLower(word), make(map[string]string)})
	return strings.TrimSpace(rest), true
}

// splitUnquoted splits at commas that stand outside quotes.
func splitUnquoted(s string) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			parts = append(parts, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[from:]))
}

func unquote(s string) string {
	if !strings.HasPrefix(s, `"`) {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
