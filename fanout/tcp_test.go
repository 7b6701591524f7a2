package fanout

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// wire is a viewer's TCP connection (RFC 4571).
type wire struct {
	*net.TCPConn
	t *testing.T
}

func (h *house) dial(t *testing.T) *wire {
	t.Helper()
	fields := strings.Fields(h.port.TCPCandidates(true)[0])
	c, err := net.Dial("tcp", net.JoinHostPort(fields[4], fields[5]))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &wire{c.(*net.TCPConn), t}
}

func (w *wire) send(data []byte) {
	w.t.Helper()
	if _, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...)); err != nil {
		w.t.Fatal(err)
	}
}

// next is the next packet, or why there is none.
func (w *wire) next() ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(w, head[:]); err != nil {
		return nil, err
	}
	data := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(w, data)
	return data, err
}

// check sends a check and waits for its answer.
func (w *wire) check(v *rawViewer, more ...stun.Setter) {
	w.t.Helper()
	w.send(v.request(v.theirs.remotePwd, more...))
	for {
		data, err := w.next()
		if err != nil {
			w.t.Fatal(err)
		}
		if isSTUN(data) {
			return
		}
	}
}

// isClosed waits for the other side's end.
func (w *wire) isClosed() bool {
	for {
		if _, err := w.next(); err != nil {
			return !strings.Contains(err.Error(), "timeout")
		}
	}
}

// J101: whoever does not know the password can't hold connections.
func TestConnectionOfAStrangerIsClosed(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	w := h.dial(t)
	w.send(v.request("not the password at all", nominate()))
	if !w.isClosed() {
		t.Error("a connection without a right check stays open")
	}
	w = h.dial(t)
	w.check(v)
	w.check(v)
}

func TestConnectionsOfAViewerAreBounded(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	all := make([]*wire, pathsPerSession+1)
	for i := range all {
		all[i] = h.dial(t)
		all[i].check(v)
	}
	if !all[1].isClosed() {
		t.Error("one connection more than are remembered, and none was closed")
	}
	all[0].check(v) // where media go
}

// A viewer whose TCP connection ends is sent to where its next check comes from.
func TestMediaLeaveAConnectionThatHasEnded(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	w := h.dial(t)
	w.check(v, nominate())
	if got, want := v.session.RemoteAddress(), w.LocalAddr().String(); got != want {
		t.Fatalf("media go to %s, want %s", got, want)
	}
	v.check()
	if got := v.session.RemoteAddress(); got != w.LocalAddr().String() {
		t.Errorf("a check without nomination moved the media to %s", got)
	}
	_ = w.Close()
	eventually(t, "sent to the socket", func() bool {
		v.check()
		return v.session.RemoteAddress() == v.conn.LocalAddr().String()
	})
	v.awaitMedia("over UDP")
}
