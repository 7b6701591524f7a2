// Command source is the camera of the load bench: it serves a file over RTSP in real time, and says on its standard
// output when it began to write each picture.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sluice/internal/camera"
	"sluice/media"
)

func main() {
	file := flag.String("file", "", "what it serves: an MP4 with H.264 and Opus; none: the demo clip")
	listen := flag.String("listen", "127.0.0.1:0", "host:port of RTSP")
	packet := flag.Int("packet", 1200, "most bytes of an RTP packet: a size that servers can pass on as it is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *file, *listen, *packet)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "source:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file, listen string, packet int) error {
	clip, err := camera.DemoClip()
	if file != "" {
		clip, err = camera.Load(file)
	}
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	c, err := camera.New(camera.Options{Clip: clip, Listen: listen, MaxPacketSize: packet, Sending: stamp(out)})
	if err != nil {
		return err
	}
	if err := c.Listen(); err != nil {
		return err
	}
	fmt.Fprintln(out, c.URL())
	if err := out.Flush(); err != nil {
		return err
	}
	return c.Serve(ctx)
}

// stamp writes a line for each picture: its RTP timestamp, its bytes, and the time in nanoseconds of Unix time.
func stamp(out *bufio.Writer) func(media.Track, camera.Sent) {
	return func(t media.Track, s camera.Sent) {
		if t.Kind == media.Video {
			fmt.Fprintln(out, s.Timestamp, s.Bytes, time.Now().UnixNano())
			_ = out.Flush() // nobody who reads is a reason to stop
		}
	}
}
