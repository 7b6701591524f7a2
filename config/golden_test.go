package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/*.bad.txt")

// J152, J153, J154, J160, J161, J162, J163.
func TestGoodFiles(t *testing.T) {
	for _, path := range glob(t, "testdata/*.good.toml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, _, err := Parse(read(t, path), path, nil); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A23, J151, J152, J153, J154, J155, J156, J157, J159, J160, J161, J162, J163: the messages that users see, each file's beside it.
func TestBadFiles(t *testing.T) {
	for _, path := range glob(t, "testdata/*.bad.toml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			name := strings.TrimPrefix(path, "testdata/")
			_, _, err := Parse(read(t, path), name, nil)
			if err == nil {
				t.Fatal("no fault found")
			}
			got := err.Error() + "\n"
			if strings.Contains(got, "hunter2") {
				t.Errorf("a password is shown:\n%s", got)
			}
			golden := strings.TrimSuffix(path, ".toml") + ".txt"
			if *update {
				write(t, golden, got)
			}
			if want := string(read(t, golden)); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s (%v)", pattern, err)
	}
	return paths
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
