package fanout

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/dtls/v3"
)

// phases are before and after settle.
var phases = map[string]func(s *secured){
	"before settle": func(*secured) {},
	"after settle":  func(s *secured) { s.settle() },
	"settled twice": func(s *secured) { s.settle(); s.settle() },
}

func TestWeSayGoodbye(t *testing.T) {
	for phase, reach := range phases {
		t.Run(phase, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // no flight is sent again because the machine is slow
				w, v, s := securePair(t)
				reach(s)
				w.reroute(func([]byte) {}) // the viewer answers with a goodbye: what comes while we end is answered in turn
				said := 0
				write := func(data []byte) error { said++; return w.fromUs(data) }
				s.close(write)
				s.close(write)
				if !v.goodbye() {
					t.Error("the viewer doesn't know that we left")
				}
				if said != 1 {
					t.Errorf("%d datagrams say goodbye", said)
				}
			})
		})
	}
}

func TestSettleSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v, s := securePair(t)
		before := w.datagrams()
		s.settle()
		synctest.Wait()
		if n := w.datagrams() - before; n != 0 {
			t.Errorf("settling sends %d datagrams", n)
		}
		if !w.ours.isClosed() {
			t.Error("the pipe is open after settling")
		}
		if _, err := v.conn.Write([]byte("still there")); err != nil {
			t.Errorf("the viewer's connection is gone: %v", err)
		}
	})
}

func TestViewerSaysGoodbyeBeforeSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v, s := securePair(t)
		w.reroute(func(data []byte) { s.record(data) })
		if _, err := v.conn.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s.hasLeft() {
			t.Fatal("data that nobody wants end the session")
		}
		_ = v.conn.Close()
		synctest.Wait()
		select {
		case <-s.closedByPeer():
		default:
			t.Error("the viewer's goodbye is not noticed")
		}
		before := w.datagrams()
		s.settle()
		s.close(w.fromUs)
		if n := w.datagrams() - before; n != 0 {
			t.Errorf("%d datagrams go to a viewer that has left", n)
		}
	})
}

func TestViewerSaysGoodbyeAfterSettle(t *testing.T) {
	for _, suite := range suites {
		t.Run(dtls.CipherSuiteName(suite), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, v, s := securePair(t, dtls.WithCipherSuites(suite))
				s.settle()
				goodbye := capture(w, v)
				forged := append([]byte(nil), goodbye...)
				forged[len(forged)-1] ^= 1
				for name, data := range map[string][]byte{
					"forged": forged, "empty": {}, "of epoch 0": plainAlert, "cut short": goodbye[:len(goodbye)-1],
				} {
					time.Sleep(tryInterval)
					if s.record(data) {
						t.Errorf("a goodbye that is %s ends the session", name)
					}
				}
				time.Sleep(tryInterval)
				if !s.record(goodbye) {
					t.Error("the viewer's goodbye is not noticed")
				}
				if s.record(goodbye) {
					t.Error("the session ends twice")
				}
				before := w.datagrams()
				s.close(w.fromUs)
				if n := w.datagrams() - before; n != 0 {
					t.Errorf("%d datagrams go to a viewer that has left", n)
				}
			})
		})
	}
}

// plainAlert is a fatal alert that anybody can write.
var plainAlert = []byte{21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40}

// capture has a viewer say goodbye, and keeps it.
func capture(w *cable, v *dtlsViewer) []byte {
	var last []byte
	w.reroute(func(data []byte) { last = data })
	_ = v.conn.Close()
	synctest.Wait()
	return last
}

// Data of an epoch with keys, and retransmissions, are no goodbyes.
func TestRecordsAfterSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v, s := securePair(t)
		s.settle()
		w.reroute(func(data []byte) {
			if s.record(data) {
				t.Error("data end the session")
			}
			data[0] = recordAlert
			if s.record(data) {
				t.Error("data that call themselves an alert end the session")
			}
		})
		if _, err := v.conn.Write([]byte{1, 0}); err != nil {
			t.Fatal(err)
		}
	})
}

// J112: whoever writes from the viewer's address can't end its session, nor have us work for nothing.
func TestSpoofedRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, v, s := securePair(t)
		before := w.datagrams()
		for i, data := range spoofed() {
			s.record(data)
			synctest.Wait()
			if s.hasLeft() {
				t.Fatalf("spoofed record %d ends the session", i)
			}
		}
		if n := w.datagrams() - before; n != 0 {
			t.Errorf("spoofed records have us send %d datagrams", n)
		}
		s.settle()
		for i, data := range spoofed() {
			if s.record(data) {
				t.Errorf("spoofed record %d ends the settled session", i)
			}
		}
		goodbye := capture(w, v)
		if s.record(goodbye) {
			t.Error("so many tries are not held against a goodbye")
		}
		time.Sleep(tryInterval)
		if !s.record(goodbye) {
			t.Error("the viewer's goodbye is not noticed")
		}
	})
}

// spoofed are records that need no keys: alerts, a hello, data, a change of ciphers, an unknown type, and those of
// epoch 1 that are noise.
func spoofed() [][]byte {
	var list [][]byte
	for kind := range byte(30) {
		for _, body := range [][]byte{{}, {1}, {2, 40}, {1, 0}, make([]byte, 40)} {
			for _, epoch := range []byte{0, 1, 2} {
				d := []byte{kind, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 1, kind}
				d = binary.BigEndian.AppendUint16(d, uint16(len(body)))
				list = append(list, append(d, body...))
			}
		}
	}
	return append(list, fragment(99, 0, 0), append(append([]byte(nil), plainAlert...), plainAlert...))
}

func TestTriesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l limiter
		tried := 0
		for range 1000 {
			if l.allow(time.Now()) {
				tried++
			}
			time.Sleep(10 * time.Millisecond)
		}
		if tried != tryBurst+9 {
			t.Errorf("%d tries in 10 s", tried)
		}
	})
}
