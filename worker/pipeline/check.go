package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"sluice/worker/wire"
)

// maxText is the length that a user's text does not exceed, in bytes.
const maxText = 64 << 10

// check finds what is wrong with a user's text without GStreamer: what the worker would refuse in the same words, told
// before a process is started. The worker has the last word, for it sees the elements themselves. taken are names that
// the text may not give. The error is a *wire.Fault.
func check(text string, allow []string, taken ...string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return mistake("it is empty")
	case len(text) > maxText:
		return mistake(fmt.Sprintf("its text has %d bytes, more than %d", len(text), maxText))
	case strings.ContainsRune(text, 0):
		return mistake("it has a NUL byte")
	}
	s := newScan(text)
	for s.next() {
		if isRefused(s.word) && !slices.Contains(allow, s.word) {
			return &wire.Fault{Code: wire.FaultNotAllowed, Element: s.word, Permanent: true}
		}
		if name, ok := strings.CutPrefix(s.word, "name="); ok && slices.Contains(taken, name) {
			return mistake(fmt.Sprintf("the name %q is taken: choose another", name))
		}
	}
	if s.open != 0 {
		return mistake(fmt.Sprintf("a quotation mark %c is not closed", s.open))
	}
	return nil
}

// mistake is a fault of the text that starting again can't mend.
func mistake(message string) *wire.Fault {
	return &wire.Fault{Code: wire.FaultParse, Message: message, Permanent: true}
}
