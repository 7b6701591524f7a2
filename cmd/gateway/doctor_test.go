package main

import (
	"os"
	"strings"
	"testing"
)

func TestDoctor(t *testing.T) {
	off := write(t, "off.toml", "[http]\nlisten = \"127.0.0.1:1\"\n")
	bad := write(t, "bad.toml", "[http]\nlisten = \"here\"\n[webrtc]\nlisten_udp = \"x\"\n")
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // what each holds
	}{
		{"help", []string{"-h"}, exitDone, "gateway doctor [--config FILE]", ""},
		{"with more", []string{"x"}, exitUsage, "", "Usage:"},
		{"no such file", []string{"--config", "/no/such.toml"}, exitFailure, "/no/such.toml", ""},
		{"first fault", []string{"--config", bad}, exitFailure, "http.listen", ""},
		{"second fault", []string{"--config", bad}, exitFailure, "webrtc.listen_udp", ""},
		{"not running", []string{"--config", off}, exitFailure, "FAIL  URL: nobody answers at http://127.0.0.1:1", ""},
		{"not running, elsewhere", []string{"--url", "http://127.0.0.1:2"}, exitFailure, "FAIL  URL: nobody answers at http://127.0.0.1:2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr output
			code := run(t.Context(), append([]string{"doctor"}, c.args...), []string{"SLUICE_TOKEN=hidden-token"}, &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, c.code, &stdout, &stderr)
			}
			if text := stdout.String() + stderr.String(); strings.Contains(text, "hidden-token") || strings.Contains(text, "\x1b") {
				t.Errorf("a token, or colours, are in\n%s", text)
			}
		})
	}
}

// Colours are for terminals alone: not for files, nor what is no file.
func TestIsTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/report")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(&output{}) {
		t.Error("a file is no terminal")
	}
}
