package worker

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// lookAgain is how long a program that was not found is taken for missing: it may be installed while we run.
const lookAgain = 2 * time.Second

// location finds the program and remembers where.
type location struct {
	name, setting string // fixed

	mu     sync.Mutex
	path   string // "" while not found
	looked time.Time
}

// find returns the program's path, "" if it is not there.
func (l *location) find(now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path != "" || !l.looked.IsZero() && now.Sub(l.looked) < lookAgain {
		return l.path
	}
	l.looked = now
	l.path = l.look()
	return l.path
}

// forget makes the next find look again: the program has gone.
func (l *location) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path, l.looked = "", time.Time{}
}

func (l *location) look() string {
	if !automatic(l.setting) {
		return executable(l.setting)
	}
	if self, err := os.Executable(); err == nil {
		if path := executable(filepath.Join(filepath.Dir(self), l.name)); path != "" {
			return path
		}
	}
	path, err := exec.LookPath(l.name)
	if err != nil {
		return ""
	}
	return executable(path)
}

func automatic(setting string) bool { return setting == "" || setting == "auto" }

// executable returns the absolute path of a program that can be run, else "".
func executable(path string) string {
	path, err := exec.LookPath(path)
	if err != nil {
		return ""
	}
	if path, err = filepath.Abs(path); err != nil {
		return ""
	}
	return path
}
