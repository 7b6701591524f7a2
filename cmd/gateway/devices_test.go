package main

import (
	"strings"
	"testing"
)

func TestDevices(t *testing.T) {
	off := write(t, "off.toml", "[transcode]\nworker = \"off\"\n[devices]\nworker = \"off\"\n")
	for _, c := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string // what each holds
	}{
		{"help", []string{"-h"}, exitDone, "gateway devices [--config FILE]", ""},
		{"with more", []string{"x"}, exitUsage, "", "Usage:"},
		{"no such file", []string{"--config", "/no/such.toml"}, exitFailure, "", "/no/such.toml"},
		{"workers off", []string{"--config", off}, exitFailure, "", "gateway-capture is switched off by devices.worker"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr output
			code := run(t.Context(), append([]string{"devices"}, c.args...), nil, &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, c.code, &stdout, &stderr)
			}
		})
	}
}
