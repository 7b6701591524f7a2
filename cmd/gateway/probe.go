package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"sluice/gateway"
)

const probeUsage = `What a camera sends, how well it does, and what browsers would get of it.

Usage:
  gateway probe URL [--transport auto|tcp|udp|multicast] [--tls-fingerprint SHA256] [--tls-insecure] [--token TOKEN]

  URL                  rtsp://, rtsps://, whep:// or wheps://; "demo:" is the built-in camera
  --transport          of RTSP; auto by default
  --tls-fingerprint    accept the rtsps certificate of this SHA-256 only
  --tls-insecure       accept any rtsps certificate
  --token              for WHEP
`

func runProbe(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway probe", flag.ContinueOnError)
	way := flags.String("transport", "auto", "")
	fingerprint := flags.String("tls-fingerprint", "", "")
	insecure := flags.Bool("tls-insecure", false, "")
	token := flags.String("token", "", "")
	source := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		source, args = args[0], args[1:] // flags may follow the URL
	}
	if code, ok := parse(flags, args, stdout, stderr, probeUsage); !ok {
		return code
	}
	if source == "" && flags.NArg() == 1 {
		source = flags.Arg(0)
	} else if flags.NArg() > 0 || source == "" {
		fmt.Fprint(stderr, probeUsage)
		return exitUsage
	}
	ver, _, _ := build()
	err := gateway.Probe(ctx, gateway.ProbeOptions{
		URL: source, Out: stdout, Transport: *way, TLSFingerprint: *fingerprint, TLSInsecure: *insecure, Token: *token,
		Version: ver, Log: newLogger(stderr, slog.LevelWarn, "text"),
	})
	if err != nil {
		fmt.Fprintln(stderr, "gateway probe:", err)
		return exitFailure
	}
	return exitDone
}
