// Command reference is a WHEP server of the shape that today's servers have: a pion PeerConnection for each viewer
// with its default interceptors, all on one UDP port, fed with the packets of one RTSP source as they are. The load
// bench measures it beside the gateway, so that ratios can be had without any other project.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8889", "host:port of HTTP; POST an offer to /whep")
	udp := flag.String("udp", "127.0.0.1:8189", "host:port of media")
	source := flag.String("source", "", "URL of the RTSP source, which has H.264 and Opus")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *listen, *udp, *source)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, udp, source string) error {
	p := newPublic()
	in, err := pull(source, p)
	if err != nil {
		return fmt.Errorf("pull from the source: %w", err)
	}
	defer in.Close()
	socket, err := net.ListenPacket("udp4", udp)
	if err != nil {
		return err
	}
	defer socket.Close()
	e, err := newEndpoint(socket, p)
	if err != nil {
		return err
	}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /whep", e.post)
	routes.HandleFunc("DELETE /whep/{session}", e.delete)
	routes.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "go_goroutines", runtime.NumGoroutine())
	})
	server := &http.Server{Addr: listen, Handler: routes}
	go func() { // ends with ctx, as the process does
		<-ctx.Done()
		_ = server.Close() // Serve says what it was
	}()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}
