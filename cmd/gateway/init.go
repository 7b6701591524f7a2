package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"sluice/gateway"
)

const initUsage = `Writes a first configuration, in which an administrator may do everything and nobody else anything.

Usage:
  gateway init [--config FILE] [--listen ADDRESS] [--force]

  --config FILE      what to write; config.toml in this folder by default
  --listen ADDRESS   HOST:PORT of all pages and the API; :8889, on all interfaces, by default
  --force            replace a file that is there
`

func runInit(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway init", flag.ContinueOnError)
	file := flags.String("config", defaultConfig, "")
	listen := flags.String("listen", ":8889", "")
	force := flags.Bool("force", false, "")
	if code, ok := parse(flags, args, stdout, stderr, initUsage); !ok {
		return code
	}
	if flags.NArg() > 0 {
		fmt.Fprint(stderr, initUsage)
		return exitUsage
	}
	text, token, err := gateway.InitialConfig(*listen)
	if err == nil {
		err = writePrivate(*file, text, *force)
	}
	if err != nil {
		fmt.Fprintln(stderr, "gateway init:", err)
		return exitFailure
	}
	fmt.Fprintf(stdout, initialised, *file, *file, gateway.LoginURL(*listen, token), token)
	return exitDone
}

const initialised = `Wrote %s. Start the gateway with

  gateway --config %s

and open this page, which logs the administrator in; on another machine with the name or the address of this one:

%s

That is /login with the administrator's token, which is not shown again; the file has only its hash:

%s
`

// writePrivate writes a file that only its owner can read, whole or not at all; one that is there only with replace. Then
// it stays that owner's, and that group's if the group could read it: a service may have no other way to its file.
func writePrivate(path, text string, replace bool) error {
	before, err := os.Lstat(path)
	if err == nil && !replace {
		return fmt.Errorf("%s is there already; --force replaces it", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".gateway-init-*") // which has mode 0600
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	defer os.Remove(f.Name()) // there is none after Rename
	if before != nil && before.Mode().IsRegular() {
		err = keepAccess(f, before)
	}
	_, written := f.WriteString(text)
	if err = errors.Join(err, written, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// keepAccess gives a file to whom another belongs, nobody else reading it.
func keepAccess(f *os.File, as os.FileInfo) error {
	owner, ok := as.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := f.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
		return nil //nolint:nilerr // only root gives files away: it stays its writer's alone
	}
	return f.Chmod(as.Mode().Perm() & 0o640)
}
