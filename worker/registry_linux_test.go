package worker

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A registry that isolated workers can't read would be made anew by each of them; from one that others can change,
// root would load their plugins.
func TestRegistryFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the workers of root run as another user")
	}
	base := readableDir(t)
	defer syscall.Umask(syscall.Umask(0o077))
	for name, c := range map[string]struct {
		mode  os.FileMode // of the folder above
		owner int
		want  bool
	}{
		"all may read":         {0o755, 0, true},
		"root's alone":         {0o700, 0, false},
		"all may write":        {0o777, 0, false},
		"all, as in tmp":       {0o777 | os.ModeSticky, 0, true},
		"another user's":       {0o755, nobody, false},
		"another user's alone": {0o700, nobody, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(base, name)
			for _, err := range []error{os.Mkdir(dir, 0o755), os.Chown(dir, c.owner, c.owner), os.Chmod(dir, c.mode)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := usable(filepath.Join(dir, "sluice")); got != c.want {
				t.Errorf("usable: %v, want %v", got, c.want)
			}
		})
	}
}

func TestRegistryFolders(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/cache")
	want := []string{"/cache/sluice"}
	if os.Geteuid() == 0 {
		want = append(want, rootCache)
	}
	if got := newRegistry(Options{}).folders(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := newRegistry(Options{CacheDir: "/given"}).folders(); !slices.Equal(got, []string{"/given"}) {
		t.Errorf("%q, want the given one alone", got)
	}
	dir := readableDir(t)
	if got := firstUsable([]string{"/proc/nothing", dir}); got != dir {
		t.Errorf("%q, want %q", got, dir)
	}
}
