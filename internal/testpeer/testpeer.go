// Package testpeer makes engines of connections for tests, on a UDP port of this machine.
package testpeer

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"sluice/peer"
	"sluice/transport"
)

// New makes an engine, and the port and certificate that o lacks. All of it is gone when the test is over.
func New(t testing.TB, o peer.Options) *peer.Engine {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	port, err := transport.Listen(t.Context(), transport.Options{ListenUDP: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if o.Certificate, err = transport.NewCertificate(); err != nil {
		t.Fatal(err)
	}
	o.Conn, o.Hosts, o.Log = port.Others(), port, log
	e := peer.NewEngine(t.Context(), o)
	var reading sync.WaitGroup
	reading.Go(func() {
		if err := port.Run(context.WithoutCancel(t.Context()), transport.Nobody{}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := port.Close(); err != nil {
			t.Error(err)
		}
		reading.Wait()
	})
	return e
}
