package main

import (
	"regexp"
	"strings"
	"testing"

	"sluice/auth"
)

// I3: what is printed last is what config.toml takes.
func TestHashPassword(t *testing.T) {
	const hash = `^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+\n$`
	for _, c := range []struct {
		name           string
		args           []string
		stdin          string
		code           int
		stdout, stderr string // regular expressions
	}{
		{"argument", []string{"correct horse battery"}, "", exitDone, hash, `^$`},
		{"standard input", nil, "correct horse battery\r\nmore\n", exitDone, hash, `^$`},
		{"without a line's end", nil, "correct horse battery", exitDone, hash, `^$`},
		{"short", []string{"hunter2"}, "", exitDone, hash, `has 7 characters, and can be guessed`},
		{"space around", []string{" correct horse battery"}, "", exitDone, hash, `begins or ends with space`},
		{"empty", nil, "", exitFailure, `^$`, `^gateway hash-password: the password is empty\n$`},
		{"too long", nil, strings.Repeat("x", 5000), exitFailure, `^$`, `longer than \d+ bytes`},
		{"token", []string{"--token"}, "", exitDone, `^[A-Z2-7]{26}\nsha256:[0-9a-f]{64}\n$`, `not shown again`},
		{"token and password", []string{"--token", "x"}, "", exitUsage, `^$`, `Usage:`},
		{"two passwords", []string{"x", "y"}, "", exitUsage, `^$`, `Usage:`},
		{"help", []string{"-h"}, "", exitDone, `gateway hash-password --token`, `^$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr output
			code := runHashPassword(c.args, strings.NewReader(c.stdin), &stdout, &stderr)
			if code != c.code || !regexp.MustCompile(c.stdout).MatchString(stdout.String()) || !regexp.MustCompile(c.stderr).MatchString(stderr.String()) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, c.code, &stdout, &stderr)
			}
			if strings.Contains(stdout.String()+stderr.String(), "hunter2") {
				t.Errorf("the password is shown: %s%s", &stdout, &stderr)
			}
		})
	}
}

// I3: the hash below a token is that token's.
func TestHashPasswordToken(t *testing.T) {
	var stdout, stderr output
	runHashPassword([]string{"--token"}, nil, &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if len(lines) != 2 || auth.HashToken(lines[0]) != lines[1] {
		t.Errorf("got %q", lines)
	}
}
