package redact

import (
	"cmp"
	"slices"
	"strings"
)

// maxRounds is how often a text is looked at again: hiding one secret can let another show.
const maxRounds = 4

// shownOfID is how much of a session's ID is told: enough to find it in a log, too little to use it.
const shownOfID = 6

// URL makes a URL fit to be printed: the password of its userinfo, or all of a userinfo without a colon, the values of
// secret parameters, the path of an RTMP URL and most of a session's ID are replaced by "***". A text that is no valid
// URL, or has words around it, is redacted too, and rather too much than too little.
func URL(s string) string {
	return settled(s, func(s string) []span { return append(secrets(s), inURL(s, 0)...) })
}

// Text makes a text of many words fit to be printed: what looks like a URL in it as by URL, the values of properties,
// fields and headers whose names say that they are secret, and what looks like a hash, a token or a key.
// Text(Text(s)) is Text(s).
func Text(s string) string { return settled(s, inText) }

// SessionID is what may be told of the ID of a session: its first 6 characters.
func SessionID(id string) string { return id[:min(len(id), shownOfID)] }

// Shows reports whether s has a secret, by its name or its look, that does not begin with the mask. It does not look for
// userinfo.
func Shows(s string) bool {
	return slices.ContainsFunc(secrets(s), func(p span) bool {
		value, _, _ := strings.Cut(strings.TrimLeft(s[p.from:p.to], `"'\`), " ")
		return strings.Trim(value, `*"'\`) != ""
	})
}

func inText(s string) []span {
	parts := secrets(s)
	for _, at := range words.FindAllStringIndex(s, -1) {
		if word := s[at[0]:at[1]]; strings.Contains(word, "://") || strings.Contains(word, "?") {
			parts = append(parts, inURL(word, at[0])...)
		}
	}
	return parts
}

// settled hides what find finds until it finds no more; of a text that never settles nothing is shown.
func settled(s string, find func(string) []span) string {
	for range maxRounds {
		hidden := hide(s, find(s))
		if hidden == s {
			return s
		}
		s = hidden
	}
	return mask
}

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

// secrets are the values of what is named as a secret or looks like one.
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
	if len(parts) == 0 {
		return s
	}
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
