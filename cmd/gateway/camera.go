package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"sluice/gateway"
)

const cameraUsage = `A simulated RTSP camera: serves a clip in a loop, in real time.

Usage:
  gateway camera FILE [--listen ADDRESS] [--user NAME --password PASSWORD]
  gateway camera --demo [--listen ADDRESS] [--user NAME --password PASSWORD]

  FILE                 MP4 (H.264, H.265, AAC, Opus), .h264 or .h265
  --demo               the built-in clip
  --listen ADDRESS     127.0.0.1:8554 by default; anybody who reaches it can watch, unless a password is set
  --user, --password   ask for them (Digest)
`

func runCamera(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("gateway camera", flag.ContinueOnError)
	demo := flags.Bool("demo", false, "")
	listen := flags.String("listen", "127.0.0.1:8554", "")
	user := flags.String("user", "", "")
	password := flags.String("password", "", "")
	file := ""
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		file, args = args[0], args[1:] // flags may follow the file
	}
	if code, ok := parse(flags, args, stdout, stderr, cameraUsage); !ok {
		return code
	}
	if file == "" && flags.NArg() == 1 {
		file = flags.Arg(0)
	} else if flags.NArg() > 0 {
		fmt.Fprint(stderr, cameraUsage)
		return exitUsage
	}
	if (file == "") != *demo || (*user == "") != (*password == "") {
		fmt.Fprintln(stderr, "gateway camera: give a FILE or --demo, and --user together with --password")
		return exitUsage
	}
	err := gateway.Camera(ctx, stdout, gateway.CameraOptions{
		File: file, Listen: *listen, User: *user, Password: *password, Log: newLogger(stderr, slog.LevelInfo, "text"),
	})
	if err != nil {
		fmt.Fprintln(stderr, "gateway camera:", err)
		return exitFailure
	}
	return exitDone
}
