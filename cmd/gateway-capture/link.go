//go:build capture

package main

import (
	"errors"
	"net"
	"sync"

	"sluice/worker/wire"
)

// link is the connection to the gateway.
type link struct {
	reader  *wire.Reader  // owned by whoever waits for the job, then by serve
	stopped chan struct{} // closed by serve

	mu     sync.Mutex
	writer *wire.Writer // guarded by mu
}

// errStopped tells that the gateway wants no more of us.
var errStopped = errors.New("the gateway has stopped the worker")

func newLink(c net.Conn) *link {
	return &link{reader: wire.NewReader(c), writer: wire.NewWriter(c), stopped: make(chan struct{})}
}

func (l *link) send(m *wire.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writer.Write(m)
}

// fail says why the worker ends. A gateway that is gone is told nothing.
func (l *link) fail(err error) {
	_ = l.send(wire.JSON(wire.TypeError, fault(err)))
}

// job waits for what there is to do. One that only asks for warmth is done at once.
func (l *link) job() (wire.Job, error) {
	for {
		m, err := l.reader.Next()
		if err != nil {
			return wire.Job{}, err
		}
		switch m.Type {
		case wire.TypeConfig:
			var j wire.Job
			if err := m.Decode(&j); err != nil || j.Role != "" {
				return j, err
			}
			if err := l.send(&wire.Message{Type: wire.TypeReady}); err != nil {
				return j, err
			}
		case wire.TypePing:
			_ = l.send(&wire.Message{Type: wire.TypePong})
		case wire.TypeStop:
			return wire.Job{}, errStopped
		}
	}
}

// serve obeys the gateway until it stops the worker or is gone; then main ends the process, which frees the device.
func (l *link) serve(c *controls) {
	defer close(l.stopped)
	for {
		m, err := l.reader.Next()
		if err != nil || m.Type == wire.TypeStop {
			return
		}
		switch m.Type {
		case wire.TypePing:
			_ = l.send(&wire.Message{Type: wire.TypePong})
		case wire.TypeKeyRequest:
			c.keyframe.Store(true)
		case wire.TypeBitrate:
			c.bitrate.Store(m.Ext)
		}
	}
}
