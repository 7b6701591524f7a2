package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func tempFile(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, text)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadFileThatCannotBeRead(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "absent.toml")
	if _, _, err := Load(missing, nil); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := Load(t.TempDir(), nil); err == nil {
		t.Error("a directory is read")
	}
}

// J157, I41: passwords of a file that others can read.
func TestLoadWarnsOfExposedPassword(t *testing.T) {
	for _, tc := range []struct {
		name, source string
		mode         os.FileMode
		warn         bool
	}{
		{"world", "rtsp://user:hunter2@cam/", 0o604, true},
		{"group", "rtsp://user:hunter2@cam/", 0o640, true},
		{"owner only", "rtsp://user:hunter2@cam/", 0o600, false},
		{"no password", "rtsp://user@cam:554/a@b", 0o644, false},
		{"empty password", "rtsp://user:@cam/", 0o644, false},
		{"from the environment", "rtsp://user:${PW}@cam/?token=${PW}", 0o644, false},
		{"half from the environment", "rtsp://user:hunter${PW}@cam/", 0o644, true},
		{"in a pipeline", "gst:rtspsrc location=rtsp://cam/ ! fakesink rtspsrc location=rtsp://user:hunter2@cam/", 0o644, true},
		{"property of a pipeline", "gst:srtsrc uri=srt://cam:7001 passphrase=hunter2hunter2", 0o644, true},
		{"pipeline without", "gst:rtspsrc location=rtsp://cam/ user-pw=${PW} ! fakesink", 0o644, false},
		{"in the query", "rtsp://cam/?channel=1&Password=hunter2", 0o644, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := tempFile(t, "config.toml", "[streams.door]\nsource = \""+tc.source+"\"\n", tc.mode)
			_, warnings, err := Load(path, []string{"PW=2"})
			if err != nil {
				t.Fatal(err)
			}
			if tc.warn != (len(warnings) == 1) {
				t.Fatalf("got %v", warnings)
			}
			if tc.warn && (!strings.HasPrefix(warnings[0].String(), path+":2:1: streams.door.source: holds a password") || strings.Contains(warnings[0].String(), "hunter")) {
				t.Errorf("got %v", warnings[0])
			}
		})
	}
}

// J157: tokens and credentials of a file that others can read.
func TestLoadWarnsOfExposedTokens(t *testing.T) {
	path := tempFile(t, "config.toml", `
streams.a = { source = "whep://h/w", token = "hunter2" }
streams.b = { source = "whep://h/w", token = "${PW}" }
streams."c*" = { source = "publish", push = [{ url = "whip://h/${stream}", token = "hunter2" }, { url = "whip://h/${stream}", token = "${stream}" }] }
webrtc.ice_servers = [{ urls = ["turn:h"], username = "u", credential = "hunter2" }]
turn.secret = "hunter2hunter2hunter2"
auth = { mode = "jwt", jwt.secret = "hunter2hunter2hunter2hunter2hunter2" }
`, 0o644)
	_, warnings, err := Load(path, []string{"PW=2"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Key)
		if !strings.Contains(w.Message, "holds a password or a token") || strings.Contains(w.String(), "hunter") {
			t.Errorf("got %v", w)
		}
	}
	want := []string{"streams.a.token", `streams."c*".push[0].token`, "webrtc.ice_servers[0].credential", "turn.secret", "auth.jwt.secret"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// J159: sizes and depths that no person writes end in one sentence, soon.
func TestLoadHugeFiles(t *testing.T) {
	var manyKeys strings.Builder
	for i := range 100_000 {
		manyKeys.WriteString(strings.Repeat("k", 1+i%3) + string(rune('a'+i%26)) + "x = 1\n")
	}
	var manyStreams strings.Builder
	manyStreams.WriteString("[streams]\n")
	for i := range 20_000 {
		fmt.Fprintf(&manyStreams, "s%d.x = 1\n", i)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"many streams", manyStreams.String(), "streams.s9.source: is missing"},
		{"10 MB", strings.Repeat("# 0123456789abcde\n", 10<<20/18), "config.toml:1:1: the file has"},
		{"deep list", "a = " + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "config.toml:1:37: lists and tables stand in each other more than 32 deep"},
		{"deep table", strings.Repeat("a = { ", 1000), "more than 32 deep"},
		{"deep after strings", `a = ["[[[", '[[[', """[[[""""", '''[[['''', ` + strings.Repeat("[", 100_000), "more than 32 deep"},
		{"long key", strings.Repeat("a.", 100_000) + "a = 1", "a: has 100001 parts"},
		{"long header", "[" + strings.Repeat("a.", 100_000) + "a]\nb = 1", "a: has 100001 parts"},
		{"long name", strings.Repeat("a", 1<<19) + " = 1", "unknown key"},
		{"open strings", strings.Repeat("\\\"\"\"", 1<<17), "not valid TOML"},
		{"many keys", manyKeys.String(), "stands here again"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := Load(tempFile(t, "config.toml", tc.text, 0o600), nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %.300v, want %s", err, tc.want)
			}
			if line, _, _ := strings.Cut(err.Error(), "\n"); len(line) > 600 {
				t.Errorf("a message of %d bytes", len(line))
			}
		})
	}
}

func TestNestingLeavesStringsAndComments(t *testing.T) {
	brackets := strings.Repeat("[", 100)
	for name, text := range map[string]string{
		"comment":          "# " + brackets,
		"basic string":     `a = "\"` + brackets + `"`,
		"literal string":   `a = '\` + `' # ` + brackets,
		"multi-line":       "a = \"\"\"\n" + brackets + "\"\\\"\"\"\"\"",
		"list after list":  strings.Repeat("a = [[]]\n", 100),
		"many table heads": strings.Repeat("[[a]]\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			if at := nestedTooDeep([]byte(text)); at >= 0 {
				t.Errorf("too deep at %d", at)
			}
		})
	}
}
