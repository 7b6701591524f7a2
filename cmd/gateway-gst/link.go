//go:build gstreamer

package main

import (
	"net"
	"sync"
	"time"

	"sluice/worker/wire"
)

// lastWait bounds how long a worker that is about to end waits for a gateway that does not read.
const lastWait = time.Second

// link is the socket to the gateway. One goroutine reads; any may send.
type link struct {
	conn net.Conn
	r    *wire.Reader

	mu  sync.Mutex
	w   *wire.Writer
	err error // of the first message that was not written; none is written after it
}

func newLink(conn net.Conn) *link {
	return &link{conn: conn, r: wire.NewReader(conn), w: wire.NewWriter(conn)}
}

// send writes a message; it blocks while the gateway does not read. That the gateway is gone is noticed by whoever
// reads.
func (l *link) send(m *wire.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = l.w.Write(m)
	}
}

// sendLast sends the message that the worker ends with.
func (l *link) sendLast(m *wire.Message) {
	if l.conn.SetWriteDeadline(time.Now().Add(lastWait)) == nil {
		l.send(m)
	}
}

// config waits for a job and answers pings meanwhile; nil if the gateway wants none any more.
func (l *link) config() *wire.Job {
	for {
		m, err := l.r.Next()
		if err != nil {
			return nil
		}
		switch m.Type {
		case wire.TypeConfig:
			var job wire.Job
			if m.Decode(&job) != nil {
				return nil
			}
			return &job
		case wire.TypePing:
			l.send(&wire.Message{Type: wire.TypePong})
		case wire.TypeStop:
			return nil
		}
	}
}
