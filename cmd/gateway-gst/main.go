//go:build gstreamer

// Command gateway-gst is a worker of the gateway: it runs one GStreamer pipeline and ends with it. The gateway starts
// it with a socket as file descriptor 3 and speaks package worker/wire over it. It is a process of its own so that a
// plugin that crashes takes nobody along, and so that the gateway needs no C.
package main

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"sluice/cmd/gateway-gst/internal/gst"
	"sluice/worker/wire"
)

// version is the gateway's that this worker was built with; set by the linker.
var version = "dev"

func main() {
	conn, err := takeSocket()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway-gst is started by the gateway, not by hand:", err)
		os.Exit(2)
	}
	yield()
	w := &worker{link: newLink(conn), faults: make(chan *wire.Fault, 1), stop: make(chan struct{})}
	library := gst.Init()
	w.send(wire.JSON(wire.TypeHello, wire.Greeting{
		Version: wire.Version, Worker: "gateway-gst", Release: version, Library: library,
	}))
	if f := w.run(); f != nil {
		w.link.sendLast(wire.JSON(wire.TypeError, f))
		os.Exit(1)
	}
}

// takeSocket moves the gateway's socket to a descriptor that no child and no element finds by its number, and has
// what plugins print go to standard error.
func takeSocket() (net.Conn, error) {
	if err := syscall.Dup3(2, 1, 0); err != nil {
		return nil, err
	}
	f := os.NewFile(wire.FD, "gateway")
	conn, err := net.FileConn(f) // a copy, closed on exec
	if err != nil {
		return nil, err
	}
	return conn, f.Close()
}
