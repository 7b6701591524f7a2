package config

import (
	"regexp"
	"strings"
)

// streamReference stands in a pattern's table for the name asked for.
const streamReference = "${stream}"

var patternName = regexp.MustCompile(`^[A-Za-z0-9*][A-Za-z0-9._*-]{0,63}$`)

// IsPattern reports whether a key of [streams] is a pattern, which stands for the streams whose names it matches.
func IsPattern(name string) bool { return strings.Contains(name, "*") }

// checkPattern returns what is wrong with a pattern, "" if nothing is.
func checkPattern(pattern string) string {
	if !patternName.MatchString(pattern) {
		return `cannot be a pattern of streams' names: that is 1 to 64 letters (A-Z, a-z), digits, ".", "_", "-" or "*", the first a letter, a digit or "*"`
	}
	return checkPrefix(pattern)
}

// Lookup returns the settings of the stream of that name: its own table's, or else those of the pattern that
// fits best (the longest; of equally long ones the first in the alphabet), with the name in place of ${stream}.
// The pattern is "" for a stream with its own table. What a pattern pulls is always on demand. It is not ok if
// no table is for that name, or no stream can have it.
func (c Config) Lookup(name string) (s Stream, pattern string, ok bool) {
	if !ValidStreamName(name) {
		return Stream{}, "", false
	}
	if s, ok := c.Streams[name]; ok {
		return s, "", true
	}
	for p := range c.Streams {
		if IsPattern(p) && matches(p, name) && fitsBetter(p, pattern) {
			pattern = p
		}
	}
	if pattern == "" {
		return Stream{}, "", false
	}
	return c.Streams[pattern].named(name), pattern, true
}

// named fills in the name. All characters that a name can have stand for themselves in a URL (RFC 3986 2.3). Nothing is
// filled into pipelines and devices.
func (s Stream) named(name string) Stream {
	fill := func(text string) string { return strings.ReplaceAll(text, streamReference, name) }
	if s.Scheme() != "gst" && s.Scheme() != "device" {
		s.Source = fill(s.Source)
	}
	s.Token = Secret(fill(string(s.Token)))
	push := s.Push
	s.Push = nil
	for _, p := range push {
		s.Push = append(s.Push, Push{URL: fill(p.URL), Token: Secret(fill(string(p.Token)))})
	}
	s.OnDemand = s.OnDemand || s.Source != PublishSource
	return s
}

func fitsBetter(a, b string) bool {
	return len(a) > len(b) || len(a) == len(b) && a < b
}

// matches tells whether name has the shape of pattern, where each * is any run of characters, or none. After a
// mismatch only the last * takes one more, so that the time is at most the product of the lengths.
func matches(pattern, name string) bool {
	star, taken := -1, 0
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p, n = p+1, n+1
		case star >= 0:
			taken++
			p, n = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
