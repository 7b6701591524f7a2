package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"sluice/auth"
	"sluice/config"
)

// I3, I41: the file is its owner's only, holds a hash for a token that is printed once, and has no faults.
func TestInit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "first.toml")
	var stdout, stderr output
	if code := run(t.Context(), []string{"init", "--config", file}, nil, &stdout, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	token := regexp.MustCompile(`(?m)^[A-Z2-7]{26}$`).FindString(stdout.String())
	if token == "" || !strings.Contains(stdout.String(), "\nhttp://localhost:8889/login#token="+token+"\n") || !strings.Contains(stdout.String(), "gateway --config "+file) {
		t.Errorf("stdout: %s", &stdout)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	c, warnings, err := config.Load(file, nil)
	if err != nil || len(warnings) != 1 || warnings[0].Key != "http.listen" || !strings.Contains(warnings[0].Message, "plain HTTP") {
		t.Fatal(err, warnings) // A96: that warning is right
	}
	if u := c.Auth.Users; c.Auth.Mode != "internal" || len(u) != 1 || u[0].Name != "admin" || string(u[0].Tokens[0]) != auth.HashToken(token) {
		t.Errorf("auth: %+v", c.Auth)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(text), token) {
		t.Error("the file holds the token", err)
	}
}

// A service goes on reading its file: whoever could by owner and group can, and nobody else.
func TestInitKeepsAccess(t *testing.T) {
	file := write(t, "there.toml", "# theirs")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	mode, group := os.FileMode(0o640), uint32(os.Getgid()) //nolint:gosec // an id
	if os.Getuid() == 0 {
		group = 12345
		if err := os.Chown(file, 0, int(group)); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr output
	if code := run(t.Context(), []string{"init", "--config", file, "--force"}, nil, &stdout, &stderr); code != exitDone {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != mode || info.Sys().(*syscall.Stat_t).Gid != group {
		t.Errorf("%v %v", info, err)
	}
}

// What is commented out is as valid as the rest.
func TestInitExamples(t *testing.T) {
	file := filepath.Join(t.TempDir(), "first.toml")
	var stdout, stderr output
	run(t.Context(), []string{"init", "--config", file}, nil, &stdout, &stderr)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^#([\[a-z].*)$`).ReplaceAll(text, []byte("$1"))
	text = []byte(strings.Replace(string(text), `secret = ""`, `secret = "0123456789abcdef"`, 1))
	c, warnings, err := config.Parse(text, file, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if len(c.Auth.Users) != 2 || len(c.Streams) != 3 || c.Turn.Mode != config.TurnEmbedded || c.HTTP.TLS != config.TLSSelfSigned {
		t.Errorf("got %+v", c)
	}
}

func TestInitCommandLine(t *testing.T) {
	there := write(t, "there.toml", "# mine")
	folder := t.TempDir()
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // what each holds
	}{
		{"there already", []string{"--config", there}, exitFailure, "", "there.toml is there already; --force replaces it"},
		{"no such folder", []string{"--config", filepath.Join(folder, "a", "b.toml")}, exitFailure, "", "write the configuration"},
		{"bad address", []string{"--config", filepath.Join(folder, "c.toml"), "--listen", "x\"y"}, exitFailure, "", "is not an address to listen on"},
		{"with more", []string{"x"}, exitUsage, "", "Usage:"},
		{"help", []string{"-h"}, exitDone, "gateway init [--config FILE]", ""},
		{"an address", []string{"--config", filepath.Join(folder, "d.toml"), "--listen", "[2001:db8::1]:80"}, exitDone, "\nhttp://[2001:db8::1]:80/login#token=", ""},
		{"this machine only", []string{"--config", filepath.Join(folder, "e.toml"), "--listen", "127.0.0.1:81"}, exitDone, "\nhttp://localhost:81/login#token=", ""},
		{"forced", []string{"--config", there, "--force"}, exitDone, "Wrote " + there, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := os.ReadFile(there)
			var stdout, stderr output
			code := run(t.Context(), append([]string{"init"}, c.args...), nil, &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, c.code, &stdout, &stderr)
			}
			if after, _ := os.ReadFile(there); (string(after) == string(before)) != (c.name != "forced") {
				t.Errorf("the file that was there is now %s", after)
			}
			if left, _ := filepath.Glob(filepath.Join(folder, ".gateway-init-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
