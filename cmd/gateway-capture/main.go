//go:build capture

// Command gateway-capture is the worker for local devices: it captures one camera, microphone or screen, encodes it
// (H.264, Opus) and hands the frames to the gateway that started it, over worker/wire on descriptor 3.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"

	"sluice/worker/wire"
)

// Set when the program is linked; see the Makefile.
var version = "development"

func main() {
	if len(os.Args) > 1 {
		fmt.Println("gateway-capture", version, "is started by the gateway")
		return
	}
	l, err := dial()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway-capture is started by the gateway, not by hand:", err)
		os.Exit(2)
	}
	ended := make(chan error, 1) // nobody waits for a device that has to be left
	go func() { ended <- work(l) }()
	select {
	case err = <-ended:
	case <-l.stopped:
		return
	}
	if err != nil && !errors.Is(err, errStopped) {
		l.fail(err)
		os.Exit(1)
	}
}

// dial opens the socket that the gateway has left us.
func dial() (*link, error) {
	f := os.NewFile(wire.FD, "gateway")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w", wire.FD, err)
	}
	return newLink(c), nil
}

// work greets the gateway and does what it says.
func work(l *link) error {
	if err := l.send(wire.JSON(wire.TypeHello, wire.Greeting{
		Version: wire.Version, Worker: "gateway-capture", Release: version, Library: library(),
	})); err != nil {
		return err
	}
	job, err := l.job()
	if err != nil {
		return err
	}
	if job.Sandboxed {
		restrict(job.Limits)
	}
	switch {
	case job.Role == wire.RoleList:
		return list(l)
	case job.Role == wire.RoleDevice && job.Device != nil:
		return capture(l, *job.Device)
	}
	return &wire.Fault{Code: wire.FaultStart, Message: fmt.Sprintf("gateway-capture has no role %q", job.Role), Permanent: true}
}

// library names what captures.
func library() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "mediadevices"
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/pion/mediadevices" {
			return "mediadevices " + d.Version
		}
	}
	return "mediadevices"
}

// fault is err as the gateway gets it.
func fault(err error) *wire.Fault {
	var f *wire.Fault
	if errors.As(err, &f) {
		return f
	}
	return &wire.Fault{Code: wire.FaultStart, Message: err.Error()}
}
