package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parallelTests is how many tests run at a time. They wait much and compute little, but a browser's start.
const parallelTests = 3

// program is the gateway under test, and artefacts where a person finds what the tests saw; set by TestMain.
var program, artefacts string

func TestMain(m *testing.M) {
	flag.Parse()
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", fmt.Sprint(parallelTests)) // the flag exists
	}
	os.Exit(run(m))
}

func isSet(name string) bool {
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sluice-e2e-")
	if err != nil {
		return complain(err)
	}
	defer os.RemoveAll(dir)
	if artefacts, err = filepath.Abs("artefacts"); err != nil {
		return complain(err)
	}
	if err := clearArtefacts(); err != nil {
		return complain(err)
	}
	if program, err = build(dir); err != nil {
		return complain(err)
	}
	forgetProxies()
	defer closeBrowsers()
	return m.Run()
}

// clearArtefacts makes an empty folder for them, but for a test that runs below another one (see inNamespace).
func clearArtefacts() error {
	if os.Getenv(programVariable) == "" {
		if err := os.RemoveAll(artefacts); err != nil {
			return err
		}
	}
	return os.MkdirAll(artefacts, 0o755)
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// build makes the gateway as it is released, or takes the one that a test hands down to itself (see inNamespace).
func build(dir string) (string, error) {
	if built := os.Getenv(programVariable); built != "" {
		return built, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	path := filepath.Join(dir, "gateway")
	c := exec.CommandContext(ctx, "go", "build", "-o", path, "sluice/cmd/gateway")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the gateway: %w\n%s", err, out)
	}
	return path, nil
}

// forgetProxies keeps a proxy of the machine out of the tests: programs would look there for hosts that only the tests
// have.
func forgetProxies() {
	for _, name := range []string{"http_proxy", "https_proxy", "all_proxy", "ftp_proxy"} {
		_ = os.Unsetenv(name) // a name without "=" can be unset
		_ = os.Unsetenv(strings.ToUpper(name))
	}
}

// artefact is the path of a file to keep, named after the test.
func artefact(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(artefacts, strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())+name)
}
