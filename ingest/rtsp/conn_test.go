package rtsp

import (
	"net"
	"testing"
	"time"
)

// watchedConn tells when a write deadline is about to be set, and remembers the last one.
type watchedConn struct {
	net.Conn
	setting  func()
	deadline time.Time
}

func (w *watchedConn) SetWriteDeadline(t time.Time) error {
	if f := w.setting; f != nil {
		w.setting = nil
		f()
	}
	w.deadline = t
	return nil
}

func (w *watchedConn) Write(b []byte) (int, error) { return len(b), nil }

// I33: the end that comes in the moment of a write shortens that write too.
func TestHurryDuringWrite(t *testing.T) {
	w := &watchedConn{}
	c := newConn(w, w, "192.0.2.1:554", nil, false)
	w.setting = c.hurry
	if err := c.transmit([]byte("TEARDOWN")); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(w.deadline); left > hurriedWrite {
		t.Errorf("the write may take %v, want %v at most", left, hurriedWrite)
	}
}
