// Command gateway takes cameras and other sources in and gives them to viewers over WebRTC.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"sluice/redact"
)

// Set when the program is linked; see the Makefile.
var version, commit = "", ""

// Exit codes.
const (
	exitDone    = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program without its process, so that tests can call it.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "version":
			return sayVersion(args[1:], stdout, stderr)
		case "camera":
			return runCamera(ctx, args[1:], stdout, stderr)
		case "devices":
			return runDevices(ctx, args[1:], environ, stdout, stderr)
		case "doctor":
			return runDoctor(ctx, args[1:], environ, stdout, stderr)
		case "hash-password":
			return runHashPassword(args[1:], os.Stdin, stdout, stderr)
		case "init":
			return runInit(args[1:], stdout, stderr)
		case "probe":
			return runProbe(ctx, args[1:], stdout, stderr)
		}
	}
	return runGateway(ctx, args, environ, stdout, stderr)
}

// parse parses flags and reports whether to go on; else the exit code says how to end.
func parse(flags *flag.FlagSet, args []string, stdout, stderr io.Writer, usage string) (code int, ok bool) {
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	for _, a := range args {
		if a == "-h" || a == "-help" || a == "--help" {
			flags.SetOutput(stdout)
		}
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone, false
	case err != nil:
		return exitUsage, false
	}
	return exitDone, true
}

// newLogger makes a log without secrets, whose texts go through the functions of then.
func newLogger(w io.Writer, level slog.Leveler, format string, then ...func(string) string) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if format == "json" {
		h = slog.NewJSONHandler(w, o)
	}
	return slog.New(redact.Handler(h, then...))
}

func sayVersion(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		fmt.Fprintln(stderr, "gateway version takes no arguments")
		return exitUsage
	}
	v, c, goVersion := build()
	fmt.Fprintf(stdout, "sluice %s, commit %s, %s\n", v, c, goVersion)
	return exitDone
}

// build is what this program was built from: as it was linked, or else as Go has noted it.
func build() (ver, rev, goVersion string) {
	ver, rev = version, commit
	info, ok := debug.ReadBuildInfo()
	if ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && rev == "" {
				rev = s.Value
			}
		}
	}
	if ver == "" {
		ver = "development"
	}
	if rev == "" {
		rev = "unknown"
	}
	return ver, rev, goVersion
}
