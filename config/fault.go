package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Fault is one thing that must be mended before the gateway starts. It never holds a password.
type Fault struct {
	// File is as it was named; empty for an environment variable, whose name is then in Key.
	File string
	// Line and Column of the key, counted from 1; 0 if the key is not in the file.
	Line, Column int
	// Key is whole, with names quoted that TOML would have quoted; empty for a fault of syntax.
	Key string
	// Message says what is wrong and what would be right.
	Message string
}

// Error returns "config.toml:12:3: streams.door.transport: what is wrong".
func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			b.WriteString(":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column))
		}
		b.WriteString(": ")
	}
	if f.Key != "" {
		b.WriteString(clip(f.Key, 160) + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults are all faults of a configuration, in the order of the file.
type Faults []Fault

// Error returns one line for each fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each fault, for errors.As.
func (fs Faults) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}

// Warning is something that works and is probably not what was meant.
type Warning Fault

// String returns the warning in the form of Fault.Error.
func (w Warning) String() string { return Fault(w).Error() }

// add adds a fault of the key, unless message is empty.
func (fs *Faults) add(key, message string) {
	if message != "" {
		*fs = append(*fs, Fault{Key: key, Message: message})
	}
}

// err returns the faults as an error, nil if there are none.
func (fs Faults) err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

func byPlace(a, b Fault) int {
	return cmp.Or(
		cmp.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Key, b.Key),
	)
}

func (fs Faults) sort() { slices.SortStableFunc(fs, byPlace) }

// quote shows a value in a sentence: short, on one line.
func quote(s string) string { return strconv.Quote(clip(s, 64)) }

// clip shortens s to about n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// printable replaces what would spoil a terminal or a log line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
