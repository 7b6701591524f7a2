package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output collects what is written while somebody reads it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.b.Reset()
}

func (o *output) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(o.String(), text); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%q never came: %s", text, o)
		}
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What the command line answers without serving anything.
func TestCommandLine(t *testing.T) {
	good := write(t, "good.toml", "[streams.demo]\nsource = \"demo:\"\n")
	bad := write(t, "bad.toml", "[http]\nlisten = \"here\"\n[streams.demo]\nsource = \"ftp://x\"\n")
	for _, c := range []struct {
		name           string
		args           []string
		environ        []string
		code           int
		stdout, stderr string // what each holds; "": nothing at all
	}{
		{"version", []string{"version"}, nil, 0, "sluice development, commit ", ""},
		{"version with more", []string{"version", "x"}, nil, 2, "", "no arguments"},
		{"unknown command", []string{"fly"}, nil, 2, "", `there is no command "fly"`},
		{"unknown flag", []string{"--fly"}, nil, 2, "", "-fly"},
		{"help", []string{"--help"}, nil, 0, "Usage:", ""},
		{"help, devices", []string{"--help"}, nil, 0, "gateway devices [--config FILE]", ""},
		{"help of the camera", []string{"camera", "-h"}, nil, 0, "gateway camera FILE", ""},
		{"good", []string{"--check", "--config", good}, nil, 0, "valid: 1 streams", ""},
		{"bad, first fault", []string{"--check", "--config", bad}, nil, 1, "", "http.listen"},
		{"bad, second fault", []string{"--check", "--config", bad}, nil, 1, "", "streams.demo.source"},
		{"no file", []string{"--check", "--config", "/no/such.toml"}, nil, 1, "", "/no/such.toml"},
		{"override", []string{"--check", "--config", good}, []string{"SLUICE_LOG_LEVEL=loud"}, 1, "", "loud"},
		{"log level", []string{"--check", "--config", good, "--log-level", "debug"}, nil, 0, "valid", ""},
		{"no log level", []string{"--check", "--config", good, "--log-level", "loud"}, nil, 2, "", `--log-level: "loud"`},
		{"no log format", []string{"--check", "--config", good, "--log-format", "xml"}, nil, 2, "", `--log-format: "xml"`},
		{"camera without a file", []string{"camera"}, nil, 2, "", "FILE or --demo"},
		{"camera with both", []string{"camera", "x.mp4", "--demo"}, nil, 2, "", "FILE or --demo"},
		{"camera with half of a login", []string{"camera", "--demo", "--user", "x"}, nil, 2, "", "--user together with --password"},
		{"camera with two files", []string{"camera", "x.mp4", "y.mp4"}, nil, 2, "", "Usage:"},
		{"help of the probe", []string{"probe", "--help"}, nil, 0, "gateway probe URL", ""},
		{"probe without a URL", []string{"probe"}, nil, 2, "", "gateway probe URL"},
		{"probe of two URLs", []string{"probe", "rtsp://a/", "rtsp://b/"}, nil, 2, "", "gateway probe URL"},
		{"probe of nobody", []string{"probe", "rtsp://x:secret@127.0.0.1:1/"}, nil, 1, "", "gateway probe: 127.0.0.1:1 refuses the connection"},
		{"probe of a web page", []string{"probe", "--token", "x", "http://x:secret@host/"}, nil, 1, "", "http://x:***@host/ is of no kind"},
		{"camera with no such file", []string{"camera", "/no/such.mp4"}, nil, 1, "", "/no/such.mp4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr output
			code := run(t.Context(), c.args, c.environ, &stdout, &stderr)
			if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, c.code, &stdout, &stderr)
			}
			if (c.stdout == "") != (stdout.String() == "") || (c.stderr == "") != (stderr.String() == "") {
				t.Errorf("what belongs elsewhere\nstdout: %s\nstderr: %s", &stdout, &stderr)
			}
		})
	}
}

// ephemeral are the overrides that let a gateway run beside others.
var ephemeral = []string{"SLUICE_HTTP_LISTEN=127.0.0.1:0", "SLUICE_WEBRTC_LISTEN_UDP=0"}

// A gateway runs until its context ends, and is told by its environment where to listen.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout, stderr output
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--config", write(t, "empty.toml", "")}, ephemeral, &stdout, &stderr)
	}()
	stdout.await(t, "Open http://localhost:")
	if strings.Contains(stdout.String(), ":8889") {
		t.Errorf("SLUICE_HTTP_LISTEN was not heard: %s", &stdout)
	}
	cancel()
	if c := <-code; c != exitDone {
		t.Errorf("exit code %d: %s", c, &stderr)
	}
}

// A port that is taken is one sentence that names the key.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stdout, stderr output
	environ := append([]string{"SLUICE_HTTP_LISTEN=" + l.Addr().String()}, ephemeral[1])
	code := run(t.Context(), []string{"--config", write(t, "empty.toml", "")}, environ, &stdout, &stderr)
	want := "http.listen: cannot open TCP " + l.Addr().String() + ": bind: address already in use"
	if code != exitFailure || strings.Count(stderr.String(), want) != 1 || strings.Contains(stderr.String(), "goroutine") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}
