package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"sluice/redact"
)

const (
	reportWidth  = 80 // characters
	reportIndent = 6
)

// Report writes findings for an operator at a terminal. It is for one goroutine.
type Report struct {
	out    io.Writer // fixed
	colour bool      // fixed
	fails  int
	warns  int
	err    error // of out, the first
}

// NewReport makes a report that is empty yet. colour is for terminals.
func NewReport(out io.Writer, colour bool) *Report { return &Report{out: out, colour: colour} }

// Add writes findings.
func (r *Report) Add(all ...Finding) {
	for _, f := range all {
		switch f.Status {
		case Fail:
			r.fails++
		case Warn:
			r.warns++
		}
		r.write(r.mark(f.Status) + wrapped(redact.Text(f.What), reportIndent)[reportIndent:])
		if f.Why != "" {
			r.write(wrapped(redact.Text(f.Why), reportIndent))
		}
		for _, line := range f.Mend {
			r.write(strings.Repeat(" ", reportIndent) + "> " + line + "\n")
		}
	}
}

// End writes how many things are to be mended. It reports whether none of them keeps viewers out; the error is that
// of writing.
func (r *Report) End() (healthy bool, err error) {
	switch {
	case r.fails > 0:
		r.write(fmt.Sprintf("\n%d to mend, %d to look at.\n", r.fails, r.warns))
	case r.warns > 0:
		r.write(fmt.Sprintf("\nNothing to mend, %d to look at.\n", r.warns))
	default:
		r.write("\nAll is well.\n")
	}
	return r.fails == 0, r.err
}

var colours = map[Status]string{OK: "\x1b[32m", Warn: "\x1b[33m", Fail: "\x1b[31m"}

// mark is a status, filled up with blanks to the indentation.
func (r *Report) mark(s Status) string {
	blanks := strings.Repeat(" ", reportIndent-len(s))
	if r.colour {
		return colours[s] + string(s) + "\x1b[0m" + blanks
	}
	return string(s) + blanks
}

func (r *Report) write(text string) {
	if _, err := io.WriteString(r.out, text); err != nil && r.err == nil {
		r.err = err
	}
}

// wrapped breaks a text between words into indented lines. A word that is longer than a line has one of its own.
func wrapped(text string, indent int) string {
	blanks := strings.Repeat(" ", indent)
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case width == 0:
			b.WriteString(blanks)
			width = indent
		case width+1+n > reportWidth:
			b.WriteString("\n" + blanks)
			width = indent
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String() + "\n"
}
