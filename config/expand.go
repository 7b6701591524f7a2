package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxSecretBytes bounds what ${file:} reads.
const maxSecretBytes = 64 << 10

var (
	reference    = regexp.MustCompile(`\$\$\{|\$\{[^}]*\}?`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// environment is the process's variables, and which of them the file has asked for.
type environment struct {
	values map[string]string
	used   map[string]bool
}

func newEnvironment(environ []string) *environment {
	e := &environment{values: make(map[string]string), used: make(map[string]bool)}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			e.values[name] = value
		}
	}
	return e
}

// expand replaces ${NAME} by a variable, ${file:/path} by a file's text without its last newline, and $${ by
// ${. What is put in is not looked at again. In the table of a pattern, ${stream} is left for Lookup.
func (e *environment) expand(s string, inPattern bool) (string, error) {
	var failed error
	out := reference.ReplaceAllStringFunc(s, func(ref string) string {
		if ref == "$${" {
			return "${"
		}
		if ref == streamReference && inPattern {
			return ref
		}
		value, err := e.resolve(ref)
		failed = errors.Join(failed, err)
		return value
	})
	return out, failed
}

func (e *environment) resolve(ref string) (string, error) {
	name, ok := strings.CutSuffix(ref[2:], "}")
	if !ok {
		return "", errors.New("has a ${ without its }; a literal ${ is written $${")
	}
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		return readSecret(path)
	}
	if !variableName.MatchString(name) {
		return "", fmt.Errorf("has ${%s}, which is neither ${NAME} of an environment variable nor ${file:/path}; a literal ${ is written $${", printable(clip(name, 64)))
	}
	value, ok := e.values[name]
	if !ok {
		return "", fmt.Errorf("needs the environment variable %s, which is not set", clip(name, 64))
	}
	e.used[name] = true
	return value, nil
}

func readSecret(path string) (string, error) {
	shown := quote(path)
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("needs the file %s: its path must begin with /", shown)
	}
	if info, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("needs the file %s: %s", shown, reason(err))
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("needs the file %s, which is not a regular file", shown)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("needs the file %s: %s", shown, reason(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("needs the file %s: %s", shown, reason(err))
	case len(text) > maxSecretBytes:
		return "", fmt.Errorf("needs the file %s, which has more than %d KiB", shown, maxSecretBytes>>10)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

// reason is what the system said, without the path that the sentence has already.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
