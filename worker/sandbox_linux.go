package worker

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// nobody is the user, and the group, that owns nothing.
const nobody = 65534

// attributes are those of every worker: it dies with us, and a Ctrl-C in our terminal is not for it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// again is after what time the system is asked anew for what it has refused: a limit may have been raised.
const again = 5 * time.Minute

// sandbox remembers what the system permits. It belongs to the forker.
type sandbox struct {
	refused int       // levels, best first
	until   time.Time // when they are tried again
	told    string    // what was missing when somebody was told of it last
}

// isolation is one way to take rights away from a process.
type isolation struct {
	missing string // what it leaves, for people
	network bool   // it has none: only a loopback interface that is down
	user    bool   // it is nobody; only for us as root
	mapped  bool   // in a user namespace, which is how others than root may take the network away
}

// levels are those that are to be tried now, best first.
func (b *sandbox) levels(now time.Time) []isolation {
	if now.After(b.until) {
		b.refused = 0
	}
	if os.Geteuid() != 0 {
		return []isolation{{network: true, mapped: true}, {missing: "no network"}}[b.refused:]
	}
	return []isolation{
		{network: true, user: true},
		{user: true, missing: "no network"},
		{network: true, missing: "a user without rights"},
		{missing: "no network, a user without rights"},
	}[b.refused:]
}

// keep skips for a while the first i of levels, which the system has refused; not if they were refused for lack of room
// for another namespace, which may be there the next moment.
func (b *sandbox) keep(i int, why error, now time.Time) {
	if i > 0 && !errors.Is(why, unix.ENOSPC) {
		b.refused, b.until = b.refused+i, now.Add(again)
	}
}

// refused tells that an error may be for lack of a right.
func refused(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.ENOSYS, unix.EUSERS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// apply prepares cmd; cleanup is called after its start.
func (i isolation) apply(cmd *exec.Cmd) (cleanup func(), err error) {
	attr := attributes()
	cmd.SysProcAttr = attr
	if i.network {
		attr.Cloneflags |= unix.CLONE_NEWNET
	}
	if i.mapped {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	if !i.user {
		return func() {}, nil
	}
	attr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody, Groups: deviceGroups()}
	return byDescriptor(cmd)
}

// byDescriptor starts the program through a descriptor: nobody may have no right to search the folder it is in.
func byDescriptor(cmd *exec.Cmd) (cleanup func(), err error) {
	f, err := os.Open(cmd.Path)
	if err != nil {
		return nil, err
	}
	cmd.Path = fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	return func() { f.Close() }, nil
}

// deviceGroups are the groups that may use graphics cards and hardware encoders.
func deviceGroups() []uint32 {
	var groups []uint32
	for _, pattern := range []string{"/dev/dri/*", "/dev/video*", "/dev/nvidia*", "/dev/mpp_service"} {
		devices, _ := filepath.Glob(pattern)
		for _, d := range devices {
			var st unix.Stat_t
			if unix.Stat(d, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Gid == 0 || slices.Contains(groups, st.Gid) {
				continue
			}
			groups = append(groups, st.Gid)
		}
	}
	return groups
}

// readableByWorkers tells that an isolated worker can reach dir, which is another user than us only if we are root, and
// that nobody but root can change what is on the way there.
func readableByWorkers(dir string) bool {
	if os.Geteuid() != 0 {
		return true
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 || !rootOnly(info) {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// rootOnly tells that only root can rename or replace a file of root's in a folder.
func rootOnly(folder os.FileInfo) bool {
	st, ok := folder.Sys().(*syscall.Stat_t)
	shared := folder.Mode().Perm()&0o022 != 0 && folder.Mode()&os.ModeSticky == 0
	return ok && st.Uid == 0 && !shared
}
