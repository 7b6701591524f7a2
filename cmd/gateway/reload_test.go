package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
)

// J158: a configuration that has changed is put into force, at SIGHUP and by itself; one with a fault is refused whole,
// with its fault, and what was before stays.
func TestReload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	file := write(t, "config.toml", "[limits]\nsessions = 1\n")
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"--config", file}, ephemeral, &stdout, &stderr) }()
	stdout.await(t, "Open http://localhost:")
	for _, step := range []struct {
		name, text, told string
		hangup           bool
	}{
		{"a stream by itself", "[limits]\nsessions = 1\n[streams.studio]\nsource = \"publish\"\n", "streams=1", false},
		{"J158: a fault", "[limits]\nsessions = \"many\"\n", "limits.sessions", false},
		{"not reloaded", "[limits]\nsessions = \"many\"\n", "the one from before stays in force", true},
		{"a listener", "[http]\nallow_origins = [\"https://a.example\"]\n[webrtc]\ngso = \"off\"\n", "keys=webrtc.gso", true},
		{"the log", "[log]\nlevel = \"debug\"\n", "log.level", true},
		{"and it is heard", "[log]\nlevel = \"warn\"\n[webrtc]\ngso = \"off\"\n", "keys=webrtc.gso", true},
	} {
		stderr.reset()
		if err := os.WriteFile(file, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if step.hangup {
			if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
		stderr.await(t, step.told)
	}
	cancel()
	if c := <-code; c != exitDone {
		t.Errorf("exit code %d: %s", c, &stderr)
	}
	if strings.Contains(stderr.String(), "level=INFO msg=stopped") {
		t.Error("log.level was not put into force")
	}
}
