package rtsp

import (
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// watchedConn tells when a write deadline is about to be set, and remembers the last one.
type watchedConn struct {
	net.Conn
	setting  func()
	deadline time.Time
	fault    error // of Write
}

func (w *watchedConn) SetWriteDeadline(t time.Time) error {
	if f := w.setting; f != nil {
		w.setting = nil
		f()
	}
	w.deadline = t
	return nil
}

func (w *watchedConn) Write(b []byte) (int, error) { return len(b), w.fault }

// A write that fails says why in a sentence without ports, which would make each repeat look new to the log.
func TestWriteFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault error
		want  string
	}{
		"reset": {os.NewSyscallError("write", syscall.EPIPE), "the camera dropped the connection: write: broken pipe"},
		"deaf":  {os.ErrDeadlineExceeded, "the camera takes no more data"},
	} {
		t.Run(name, func(t *testing.T) {
			here := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 43210}
			w := &watchedConn{fault: &net.OpError{Op: "write", Net: "tcp", Source: here, Err: c.fault}}
			err := newConn(w, w, "192.0.2.1:554", nil, false).transmit([]byte("PLAY"))
			if !is[*EndedError](err) || err.Error() != c.want {
				t.Errorf("transmit returned %T %v, want %q", err, err, c.want)
			}
		})
	}
}

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
