package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"
)

// Load reads the file at path as Parse does, and the certificate that it names. It warns if the file holds a password or
// a token that other users can read.
// An error that is not Faults says why the file can't be read.
func Load(path string, environ []string) (Config, []Warning, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Config{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return Config{}, nil, fmt.Errorf("read configuration: %w", err)
	}
	l := newLoader(text, path, environ)
	l.checkFiles = func(c Config) (faults, doubts Faults) { return c.HTTP.checkCertificate(time.Now()) }
	c, warnings, err := l.load()
	if info.Mode().Perm()&0o044 != 0 {
		warnings = append(warnings, l.exposed()...)
	}
	return c, warnings, err
}

// Parse reads the text of a config.toml. The name file stands in faults; environ is as os.Environ gives it.
// The error is Faults: all that is wrong with the text and with what environ overrides. Warnings come with
// and without an error.
func Parse(text []byte, file string, environ []string) (Config, []Warning, error) {
	return newLoader(text, file, environ).load()
}

// loader is one reading of a file.
type loader struct {
	decoder
	// set has, by key, the variable that overrides it.
	set map[string]string
	// checkFiles reads the files that the configuration names; nil: they are not looked at.
	checkFiles func(Config) (faults, doubts Faults)
}

func newLoader(text []byte, file string, environ []string) *loader {
	if len(text) > maxFileBytes {
		text = text[:maxFileBytes+1]
	}
	return &loader{decoder: decoder{doc: readDocument(text, file), env: newEnvironment(environ)}}
}

func (l *loader) load() (Config, []Warning, error) {
	if len(l.doc.faults) == 1 && l.doc.faults[0].Key == "" {
		return Config{}, nil, l.doc.faults
	}
	c := Default()
	l.table(l.doc.root, reflect.ValueOf(&c).Elem())
	var warnings []Warning
	l.set, warnings = l.override(&c)
	c.normalise()
	l.add(c.check())
	doubts := c.doubts()
	if l.checkFiles != nil {
		faults, more := l.checkFiles(c)
		l.add(faults)
		doubts = append(doubts, more...)
	}
	for _, f := range doubts {
		warnings = append(warnings, Warning(l.located(f)))
	}
	l.doc.faults.sort()
	if err := l.doc.faults.err(); err != nil {
		return Config{}, warnings, err
	}
	return c, warnings, nil
}

// add keeps faults whose key, or whose table, has none yet: of what could not be read, nothing more is known.
func (l *loader) add(faults Faults) {
	known := make(map[string]bool)
	for _, f := range l.doc.faults {
		known[f.Key] = true
	}
	for _, f := range faults {
		if f = l.located(f); !known[f.Key] && !known[parentKey(f.Key)] {
			l.doc.faults = append(l.doc.faults, f)
		}
	}
}

// located gives a fault of a key the place where the key was set, or else the place of the table it would stand in.
func (l *loader) located(f Fault) Fault {
	if name, ok := l.set[f.Key]; ok {
		f.Key = name
		return f
	}
	f.File = l.doc.file
	for key := f.Key; key != ""; key = parentKey(key) {
		if n, ok := l.doc.byKey[key]; ok {
			f.Line, f.Column = n.line, n.column
			break
		}
	}
	return f
}

func parentKey(key string) string { return key[:max(strings.LastIndexByte(key, '.'), 0)] }

// exposed warns of each password and token in a file that others can read.
func (l *loader) exposed() []Warning {
	var warnings []Warning
	for _, n := range l.secrets {
		warnings = append(warnings, Warning{
			File: l.doc.file, Line: n.line, Column: n.column, Key: n.key,
			Message: "holds a password or a token, and other users of this machine can read the file: make it private with " +
				"chmod 600, or write ${file:/path} or ${NAME} in its place",
		})
	}
	return warnings
}
