package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"sluice/gateway"
)

const devicesUsage = `The cameras, microphones and screens of this machine, and their formats.

Usage:
  gateway devices [--config FILE]

  --config FILE        where the workers are; config.toml in this folder by default
`

func runDevices(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway devices", flag.ContinueOnError)
	file := flags.String("config", "", "")
	if code, ok := parse(flags, args, stdout, stderr, devicesUsage); !ok {
		return code
	}
	if flags.NArg() > 0 {
		fmt.Fprint(stderr, devicesUsage)
		return exitUsage
	}
	c, _, err := load(*file, environ)
	if err == nil {
		o := gateway.DevicesOptions{Config: c, Log: newLogger(stderr, slog.LevelWarn, "text")}
		err = gateway.PrintDevices(ctx, stdout, o)
	}
	if err != nil {
		fmt.Fprintln(stderr, "gateway devices:", err)
		return exitFailure
	}
	return exitDone
}
