//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// quiet is the load below which other work on the machine hardly shows.
const quiet = 0.5

// printHeader says what is measured, where, and how busy the machine is already.
func printHeader(ctx context.Context) {
	fmt.Printf("%s, %s, %d cores, %s, %s, %s, commit %s, %s\n", time.Now().UTC().Format("2006-01-02"), processor(), runtime.NumCPU(), kernel(), runtime.Version(),
		firstLine(ctx, "ffmpeg", "-version"), firstLine(ctx, "git", "describe", "--always", "--dirty"), firstLine(ctx, "pkg-config", "--modversion", "gstreamer-1.0"))
	text, _ := os.ReadFile("/proc/loadavg")
	before, _, _ := strings.Cut(string(text), " ")
	fmt.Printf("\n`%s`, load average %s before\n", strings.Join(append([]string{"go run ./bench/transcode"}, os.Args[1:]...), " "), before)
	if n, err := strconv.ParseFloat(before, 64); err == nil && n > quiet {
		fmt.Println("\n**The machine is busy with other things: these figures are too high.**")
	}
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "Linux"
	}
	return "Linux " + unix.ByteSliceToString(u.Release[:])
}

func firstLine(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil {
		return name + " is missing"
	}
	line, _, _ = strings.Cut(line, " Copyright")
	return line
}
