package fanout

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"sluice/negotiation"
)

func BenchmarkCheck(b *testing.B) {
	wrong := browser()
	wrong.username = known.ufrag + ":another"
	flip := browser().build(b)
	flip[54] ^= 1
	for name, data := range map[string][]byte{
		"right": browser().build(b), "wrong-name": wrong.build(b), "wrong-password": refit(b, flip),
	} {
		b.Run(name, func(b *testing.B) {
			r := newResponder()
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := localUfrag(data); !ok {
					b.Fatal("no name")
				}
				r.answer(data, fromV4, &known)
			}
		})
	}
}

func BenchmarkSealRTP(b *testing.B) {
	for name, profile := range bothSRTP {
		b.Run(name, func(b *testing.B) {
			s, plain, buf := mustSeal(b, randomKeys(b, profile)), extended(1, 0, string(make([]byte, 1160))), make([]byte, 1500)
			seq := uint16(0)
			b.ReportAllocs()
			b.SetBytes(int64(len(plain)))
			for b.Loop() {
				n := copy(buf, plain)
				binary.BigEndian.PutUint16(buf[2:], seq)
				seq++
				if _, err := s.sealRTP(buf, n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpenFeedback opens a packet and reads it. Replays are let through: opening is timed, not sealing.
func BenchmarkOpenFeedback(b *testing.B) {
	for name, profile := range bothSRTP {
		b.Run(name, func(b *testing.B) {
			k := randomKeys(b, profile)
			o, viewer := mustOpen(b, k), srtpContext(b, k.remote.key, k.remote.salt, profile)
			o.context = srtpContext(b, k.remote.key, k.remote.salt, profile)
			sealed, err := viewer.EncryptRTCP(nil, usual(b), nil)
			if err != nil {
				b.Fatal(err)
			}
			var c count
			buf := make([]byte, len(sealed))
			b.ReportAllocs()
			for b.Loop() {
				copy(buf, sealed)
				plain, err := o.openRTCP(buf)
				if err != nil {
					b.Fatal(err)
				}
				if err = readFeedback(plain, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHandshake has both sides in one process; of the viewer's, about half is it all.
func BenchmarkHandshake(b *testing.B) {
	theirs := newCertificate(b)
	h, want := newHandshaker(newCertificate(b), quiet), []negotiation.Fingerprint{printOf(b, theirs, "sha-256")}
	b.ReportAllocs()
	for b.Loop() {
		w := newCable()
		conn, err := dtls.ClientWithOptions(w.theirs, w.theirs.remote, dtls.WithInsecureSkipVerify(true), dtls.WithCertificates(theirs),
			dtls.WithSRTPProtectionProfiles(bothProfiles...), dtls.WithLoggerFactory(pionLoggers{pionLogger{quiet}}))
		if err != nil {
			b.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- conn.HandshakeContext(context.WithoutCancel(b.Context())) }()
		s, err := h.run(b.Context(), w.ours, want)
		if err != nil {
			b.Fatal(err)
		}
		if err = <-done; err != nil {
			b.Fatal(err)
		}
		s.close(nil)
		w.theirs.close()
		_ = conn.Close()
	}
}

// BenchmarkGoodbye is what a forged alert costs at most.
func BenchmarkGoodbye(b *testing.B) {
	_, _, s := securePair(b)
	s.settle()
	forged := append([]byte{21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26}, make([]byte, 26)...)
	b.ReportAllocs()
	for b.Loop() {
		if s.ends(forged) {
			b.Fatal("a forged goodbye ends the session")
		}
	}
}

// TestCostOfSession tells what a connection keeps before and after settle, and holds it to a bound.
func TestCostOfSession(t *testing.T) {
	const sessions = 100
	theirs := newCertificate(t)
	h, want := newHandshaker(newCertificate(t), quiet), []negotiation.Fingerprint{printOf(t, theirs, "sha-256")}
	var list []*secured
	bytes, goroutines := held(4*sessions, func() {
		for range sessions {
			list = append(list, secureAndForget(t, h, theirs, want))
		}
	})
	t.Logf("before settle: %d bytes and %.1f goroutines a session", bytes/sessions, float64(goroutines)/sessions)
	if goroutines > 4*sessions {
		t.Errorf("%d sessions have %d goroutines", sessions, goroutines)
	}
	settledBytes, settledGoroutines := held(-goroutines, func() {
		for _, s := range list {
			s.settle()
		}
	})
	bytes, goroutines = bytes+settledBytes, goroutines+settledGoroutines
	t.Logf("after settle: %d bytes and %.1f goroutines a session", bytes/sessions, float64(goroutines)/sessions)
	if goroutines > 0 || bytes > 8<<10*sessions && !racing {
		t.Errorf("%d settled sessions have %d goroutines and %d bytes", sessions, goroutines, bytes)
	}
	for _, s := range list {
		s.close(nil)
	}
}

// held measures what is kept after f. Goroutines beyond most are given time to end.
func held(most int, f func()) (bytes, goroutines int) {
	var before, after runtime.MemStats
	collect()
	runtime.ReadMemStats(&before)
	began := runtime.NumGoroutine()
	f()
	goroutines = quietCount(began+most) - began
	collect()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc+after.StackInuse) - int(before.HeapAlloc+before.StackInuse), goroutines
}

// collect empties pools too, which takes two rounds.
func collect() {
	runtime.GC()
	runtime.GC()
	runtime.GC()
}

// quietCount is the number of goroutines once those that end have ended, which are those beyond most.
func quietCount(most int) int {
	last, late := runtime.NumGoroutine(), time.Now().Add(patience)
	for same := 0; same < 10 || last > most && time.Now().Before(late); {
		<-time.After(5 * time.Millisecond)
		if n := runtime.NumGoroutine(); n == last {
			same++
		} else {
			last, same = n, 0
		}
	}
	return last
}

// secureAndForget makes a handshake with a viewer that vanishes.
func secureAndForget(t *testing.T, h *handshaker, theirs tls.Certificate, want []negotiation.Fingerprint) *secured {
	t.Helper()
	w := newCable()
	conn, err := dtls.ClientWithOptions(w.theirs, w.theirs.remote, dtls.WithInsecureSkipVerify(true), dtls.WithCertificates(theirs),
		dtls.WithSRTPProtectionProfiles(bothProfiles...), dtls.WithLoggerFactory(pionLoggers{pionLogger{quiet}}))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- conn.HandshakeContext(t.Context()) }()
	s, err := h.run(t.Context(), w.ours, want)
	if err != nil {
		t.Fatal(err)
	}
	if err = <-done; err != nil {
		t.Fatal(err)
	}
	w.reroute(func([]byte) {})
	_ = conn.Close()
	w.theirs.close()
	return s
}
