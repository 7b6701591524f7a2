package worker

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"sluice/media"
)

const (
	tailSize = 4096
	maxCause = 200  // bytes
	maxText  = 2000 // bytes of a text of a worker's report
)

// tail keeps the end of what a process prints, and the line that says why it crashed.
type tail struct {
	mu    sync.Mutex
	kept  []byte
	cut   bool   // something before kept is missing
	line  []byte // the beginning of the line that is not ended yet
	cause string // the first line that a dying Go program prints
	tell  func(line string)
}

// follow has each line told from now on.
func (t *tail) follow(tell func(line string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell = tell
}

// causes are how such a line begins.
var causes = []string{"panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGILL: ", "SIGTRAP: "}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	lines, tell := t.take(p)
	for _, line := range lines {
		tell(line)
	}
	return len(p), nil
}

// take keeps what is printed, and returns the lines that end in it if somebody wants them.
func (t *tail) take(p []byte) (lines []string, tell func(string)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range bytes.Lines(p) { // a panic is written in pieces
		t.line = append(t.line, line[:min(len(line), maxText+1-len(t.line))]...)
		if bytes.HasSuffix(line, []byte("\n")) {
			lines = append(lines, string(t.line))
			t.line = t.line[:0]
		}
	}
	for _, line := range lines {
		t.findCause(line)
	}
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.cut = true
	}
	if t.tell == nil {
		return nil, nil
	}
	return lines, t.tell
}

func (t *tail) findCause(line string) {
	if t.cause == "" && slices.ContainsFunc(causes, func(c string) bool { return strings.HasPrefix(line, c) }) {
		t.cause = media.RedactText(strings.TrimSpace(beginning(line, maxCause)))
	}
}

// text is what is kept, whole lines only, without secrets, and the cause.
func (t *tail) text() (text, cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := string(t.kept)
	if t.cut { // what begins in the midst of a word may hide a password
		kept = afterFirst(kept, "\n", " ")
	}
	return strings.TrimSpace(media.RedactText(kept)), t.cause
}

// afterFirst is what follows the first separator in s that anything follows; nothing if none is.
func afterFirst(s string, separators ...string) string {
	for _, separator := range separators {
		if _, after, _ := strings.Cut(s, separator); strings.TrimSpace(after) != "" {
			return after
		}
	}
	return ""
}

// printable is what of a text that a worker has sent is printed.
func printable(s string) string { return media.RedactText(beginning(s, maxText)) }

// beginning is at most n bytes of s, and only whole words: of half a URL, a password can't be told.
func beginning(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:max(0, strings.LastIndexAny(s[:n+1], " \t\r\n"))]
}
