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
	"os"
	"slices"
	"strings"

	"sluice/gateway"
)

const doctorUsage = `Why can't a viewer connect: looks at a running gateway from end to end, and says
what is wrong and which line of the configuration mends it.

Usage:
  gateway doctor [--config FILE] [--url URL] [--stream NAME] [--token TOKEN] [--tls-insecure]

  --config FILE   of the gateway on this machine; config.toml in this folder by
                  default, and none if --url is given
  --url URL       where the gateway is, from here; by default as http.listen says
  --stream NAME   that is played; by default the first that is ready
  --token TOKEN   of who plays; by default that in SLUICE_TOKEN, or none
  --tls-insecure  send the token though the certificate is not trusted

It takes a minute at most. The exit code is 1 if anything is to be mended.
`

func runDoctor(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway doctor", flag.ContinueOnError)
	file := flags.String("config", "", "")
	at := flags.String("url", "", "")
	stream := flags.String("stream", "", "")
	token := flags.String("token", "", "")
	insecure := flags.Bool("tls-insecure", false, "")
	if code, ok := parse(flags, args, stdout, stderr, doctorUsage); !ok {
		return code
	}
	if flags.NArg() > 0 {
		fmt.Fprint(stderr, doctorUsage)
		return exitUsage
	}
	ver, _, _ := build()
	o := gateway.DoctorOptions{
		URL: *at, Stream: *stream, Token: cmp.Or(*token, tokenOf(environ)), Insecure: *insecure,
		Out: stdout, Colour: isTerminal(stdout), Version: ver, Log: newLogger(stderr, slog.LevelError, "text"),
	}
	if *file != "" || *at == "" {
		readConfig(&o, *file, environ)
	}
	healthy, err := gateway.Doctor(ctx, o)
	if err != nil {
		fmt.Fprintln(stderr, "gateway doctor:", err)
		return exitFailure
	}
	if !healthy {
		return exitFailure
	}
	return exitDone
}

// tokenVariable keeps a token out of the list of processes. It is no key of the configuration.
const tokenVariable = "SLUICE_TOKEN="

func tokenOf(environ []string) string {
	for _, v := range environ {
		if token, ok := strings.CutPrefix(v, tokenVariable); ok {
			return token
		}
	}
	return ""
}

// readConfig reads the configuration, with the faults that it has.
func readConfig(o *gateway.DoctorOptions, file string, environ []string) {
	environ = slices.DeleteFunc(slices.Clone(environ), func(v string) bool { return strings.HasPrefix(v, tokenVariable) })
	o.File = cmp.Or(file, defaultConfig)
	if _, err := os.Stat(o.File); file == "" && errors.Is(err, fs.ErrNotExist) {
		o.File = "what is configured without a file"
	}
	c, warnings, err := load(file, environ)
	o.Warnings, o.Faults = warnings, err
	if err == nil {
		o.Config = &c
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
