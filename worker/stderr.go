package worker

import (
	"bytes"
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
}

// causes are how such a line begins.
var causes = []string{"panic: ", "fatal error: ", "SIGSEGV: ", "SIGABRT: ", "SIGBUS: ", "SIGFPE: ", "SIGILL: ", "SIGTRAP: "}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.findCause(p)
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// findCause puts lines together, for a panic is written in pieces, and looks at each.
func (t *tail) findCause(p []byte) {
	for line := range bytes.Lines(p) {
		if t.cause != "" {
			return
		}
		t.line = append(t.line, line[:min(len(line), maxCause+1-len(t.line))]...)
		if bytes.HasSuffix(line, []byte("\n")) {
			t.endLine()
		}
	}
}

func (t *tail) endLine() {
	for _, c := range causes {
		if bytes.HasPrefix(t.line, []byte(c)) {
			t.cause = redact(strings.TrimSpace(beginning(string(t.line), maxCause)))
		}
	}
	t.line = t.line[:0]
}

// text is what is kept, whole lines only, without secrets, and the cause.
func (t *tail) text() (text, cause string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := string(t.kept)
	if t.cut { // what begins in the midst of a word may hide a password
		kept = afterFirst(kept, "\n", " ")
	}
	return strings.TrimSpace(redact(kept)), t.cause
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
func printable(s string) string { return redact(beginning(s, maxText)) }

// beginning is at most n bytes of s, and only whole words: of half a URL, a password can't be told.
func beginning(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:max(0, strings.LastIndexAny(s[:n+1], " \t\r\n"))]
}

// redact takes the secrets out of all words that look like URLs.
func redact(s string) string {
	if !strings.Contains(s, "://") && !strings.ContainsAny(s, "?@") {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		end := strings.IndexAny(s, " \t\r\n")
		if end < 0 {
			end = len(s)
		}
		word := s[:end]
		if strings.Contains(word, "://") || strings.Contains(word, "?") {
			word = media.RedactURL(word)
		}
		b.WriteString(word)
		s = s[end:]
		if s != "" {
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}
