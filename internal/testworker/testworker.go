// Package testworker finds the worker processes for the tests that run them.
package testworker

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// GST is the path of the GStreamer worker that `make workers` has built. Without one the test is skipped; in CI it
// fails.
func GST(t testing.TB) string { return find(t, "gateway-gst") }

// Capture is the path of the device worker, on the same terms.
func Capture(t testing.TB) string { return find(t, "gateway-capture") }

// Tool is the path of a program that a test looks at results with. Without it the test is skipped; in CI it fails.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing: make deps installs it", name)
	default:
		t.Skipf("%s is missing: make deps installs it", name)
	}
	return path
}

func find(t testing.TB, name string) string {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the binary does not know where its source was")
	}
	path := filepath.Join(filepath.Dir(here), "..", "..", "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("bin/%s is missing: make workers builds it", name)
	}
	t.Skipf("bin/%s is missing: make workers builds it", name)
	return ""
}
