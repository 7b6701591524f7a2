//go:build capture

package main

import (
	"net"
	"os"
	"sync"

	"sluice/worker/wire"
)

// link is the connection to the gateway.
type link struct {
	reader *wire.Reader // owned by whoever waits for the job, then by serve

	mu     sync.Mutex
	writer *wire.Writer // guarded by mu
}

func newLink(c net.Conn) *link {
	return &link{reader: wire.NewReader(c), writer: wire.NewWriter(c)}
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
			os.Exit(0)
		}
	}
}

// serve obeys the gateway until it stops the worker or is gone; then the process ends, which frees the device.
func (l *link) serve(c *controls) {
	for {
		m, err := l.reader.Next()
		if err != nil {
			os.Exit(0)
		}
		switch m.Type {
		case wire.TypeStop:
			os.Exit(0)
		case wire.TypePing:
			_ = l.send(&wire.Message{Type: wire.TypePong})
		case wire.TypeKeyRequest:
			c.keyframe.Store(true)
		case wire.TypeBitrate:
			c.bitrate.Store(m.Ext)
		}
	}
}
