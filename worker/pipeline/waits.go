package pipeline

import (
	"slices"
	"strings"
)

// waits reports whether a source's text waits for somebody who sends, who may come late and leave as he likes: then
// it is no fault that nothing comes.
func waits(text string) bool {
	s := newScan(text)
	for s.next() {
		if s.word == "udpsrc" || s.word == "tcpserversrc" {
			return true
		}
	}
	return isListener(text, "srtsrc")
}

// isListener reports whether an SRT element of a text waits for callers.
func isListener(text, element string) bool {
	s, srt := newScan(text), false
	for s.next() {
		switch {
		case s.word == element:
			srt = true
		case srt && s.word == "mode=listener", srt && listens(s.word):
			return true
		}
	}
	return false
}

// listens reports whether a property is the URI of an SRT listener: it says so, or it names no host to call.
func listens(property string) bool {
	uri, ok := strings.CutPrefix(property, "uri=srt://")
	if !ok {
		return false
	}
	host, query, _ := strings.Cut(uri, "?")
	values := strings.Split(query, "&")
	if i := slices.IndexFunc(values, func(v string) bool { return strings.HasPrefix(v, "mode=") }); i >= 0 {
		return values[i] == "mode=listener"
	}
	return strings.HasPrefix(host, ":")
}
