package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"sluice/config"
	"sluice/gateway"
	"sluice/redact"
)

const gatewayUsage = `Sluice takes cameras in and shows them in browsers.

Usage:
  gateway [--config FILE] [--check] [--log-level LEVEL] [--log-format FORMAT]
  gateway camera FILE|--demo [--listen ADDRESS] [--user NAME --password PASSWORD]
  gateway devices [--config FILE]
  gateway doctor [--config FILE] [--url URL] [--stream NAME] [--token TOKEN]
  gateway hash-password [--token] [PASSWORD]
  gateway init [--config FILE] [--listen ADDRESS] [--force]
  gateway probe URL
  gateway version

  --config FILE        the configuration; config.toml in this folder by default
  --check              only look whether the configuration is valid
  --log-level LEVEL    debug, info, warn or error, instead of log.level
  --log-format FORMAT  text or json, instead of log.format
`

// defaultConfig is read if it is there and --config was not given.
const defaultConfig = "config.toml"

func runGateway(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	file := flags.String("config", "", "")
	check := flags.Bool("check", false, "")
	level := flags.String("log-level", "", "")
	format := flags.String("log-format", "", "")
	if code, ok := parse(flags, args, stdout, stderr, gatewayUsage); !ok {
		return code
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "gateway: there is no command %q\n\n%s", flags.Arg(0), gatewayUsage)
		return exitUsage
	}
	name := configFile(*file)
	before := lookAt(cmp.Or(name, defaultConfig))
	c, warnings, err := load(name, environ)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	log, threshold, err := logger(c, *level, *format, stderr)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	for _, w := range warnings {
		log.Warn("configuration", "warning", w.String())
	}
	if *check {
		fmt.Fprintf(stdout, "The configuration is valid: %d streams.\n", len(c.Streams))
		return exitDone
	}
	ask, done := watch(ctx, cmp.Or(name, defaultConfig), before)
	defer done()
	o := gateway.Options{
		Config: c, Log: log, Reload: ask, Load: func() (config.Config, []config.Warning, error) { return load(name, environ) },
	}
	if *level == "" {
		o.SetLevel = func(level string) { _ = threshold.UnmarshalText([]byte(level)) } // one of four words
	}
	return serve(ctx, o, stdout)
}

// configFile is the file that is read now and at each reload, be it there then or not; "" if there is none.
func configFile(asked string) string {
	if _, err := os.Stat(defaultConfig); asked == "" && err == nil {
		return defaultConfig
	}
	return asked
}

func load(file string, environ []string) (config.Config, []config.Warning, error) {
	if file != "" {
		return config.Load(file, environ)
	}
	if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
		return config.Parse(nil, "", environ)
	}
	return config.Load(defaultConfig, environ)
}

// logger makes the log as the configuration says, or the command line instead.
func logger(c config.Config, level, format string, w io.Writer) (*slog.Logger, *slog.LevelVar, error) {
	if level == "" {
		level = c.Log.Level
	}
	if format == "" {
		format = c.Log.Format
	}
	threshold := new(slog.LevelVar)
	if err := threshold.UnmarshalText([]byte(level)); err != nil {
		return nil, nil, fmt.Errorf("--log-level: %q is not one of debug, info, warn, error", level)
	}
	if format != "text" && format != "json" {
		return nil, nil, fmt.Errorf("--log-format: %q is not one of text, json", format)
	}
	if c.Log.Addresses == "short" {
		return newLogger(w, threshold, format, redact.Addresses), threshold, nil
	}
	return newLogger(w, threshold, format), threshold, nil
}

func serve(ctx context.Context, o gateway.Options, stdout io.Writer) int {
	ver, rev, goVersion := build()
	log := o.Log
	log.Info("starting", "version", ver, "commit", rev, "go", goVersion)
	o.Version = ver
	o.OnListening = func(addr net.Addr) {
		fmt.Fprintf(stdout, "Open %s in a browser.\n", gateway.URL(addr, o.Config.HTTP.Encrypted()))
	}
	g, err := gateway.New(o)
	if err == nil {
		err = g.Run(ctx)
	}
	if err != nil {
		log.Error("the gateway has failed", "err", err)
		return exitFailure
	}
	log.Info("stopped")
	return exitDone
}
