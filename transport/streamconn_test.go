package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// end is one side of a pipe that has TCP addresses.
type end struct{ net.Conn }

// RemoteAddr is alice.
func (end) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(alice) }

// LocalAddr is ours.
func (end) LocalAddr() net.Addr { return &net.TCPAddr{IP: ours.AsSlice(), Port: 1} }

// served is a connection that a port serves, and the peer's side of it.
func served(t *testing.T, r Receiver) (*streams, net.Conn) {
	t.Helper()
	s := &streams{others: newOtherStreams(&net.TCPAddr{})}
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.serve(ctx, end{here}, r) }()
	t.Cleanup(func() {
		cancel()
		<-done
		_, _ = s.others.Close(), there.Close()
	})
	return s, there
}

// J101 J102
func TestStreamsThatSayNothing(t *testing.T) {
	for name, c := range map[string]struct {
		sent  []string // a second lies between them
		after time.Duration
	}{
		"silence":                   {nil, firstFrame},
		"half a length":             {[]string{"\x00"}, firstFrame},
		"a length, then silence":    {[]string{"\x05\x00"}, firstFrame},
		"the largest length":        {[]string{"\xFF\xFF"}, 0},
		"larger than a datagram":    {[]string{"\x05\xDD"}, 0},
		"one byte a second":         {strings.Split("\x00\x10abcdefghijklmnop", ""), firstFrame},
		"empty frames":              {strings.Split(strings.Repeat("\x00\x00-", 12), "-"), firstFrame},
		"taken, then silence":       {[]string{"\x00\x04mine"}, idleStream},
		"taken, then nothing of it": {[]string{"\x00\x04mine\x00\x05yours", "\x00\x05yours", "\x00\x05yours"}, idleStream},
		"taken, then too large":     {[]string{"\x00\x04mine", "\xFF\xFF"}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, began := newInbox(), time.Now()
				in.takes = func(data []byte) bool { return string(data) == "mine" }
				s, peer := served(t, in)
				go func() {
					for i, text := range c.sent {
						if i > 0 {
							time.Sleep(time.Second)
						}
						_, _ = peer.Write([]byte(text))
					}
				}()
				if n, err := io.Copy(io.Discard, peer); n != 0 || err != nil {
					t.Errorf("%d bytes, then %v", n, err)
				}
				if took := time.Since(began); took != c.after {
					t.Errorf("closed after %v, want %v", took, c.after)
				}
				synctest.Wait()
				if n := len(s.unclaimed); n != 0 {
					t.Errorf("%d are counted as unclaimed", n)
				}
				time.Sleep(time.Minute) // for the peer's goroutine
			})
		})
	}
}

// TestStreamInUseStays keeps a connection as long as its session takes something.
func TestStreamInUseStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		_, peer := served(t, in)
		for range 100 {
			if _, err := peer.Write(framed("mine")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(idleStream/2 - time.Second)
		}
		if len(in.came) != 100 {
			t.Errorf("received %d", len(in.came))
		}
	})
}

// TestSlowStream sends to a peer that does not read: whole packets are lost, nobody waits, and it is closed at last.
func TestSlowStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		_, peer := served(t, in)
		if _, err := peer.Write(framed("mine")); err != nil {
			t.Fatal(err)
		}
		p := &Port{}
		d, b, began := p.NewDestination(in.next(t).from), p.NewBatch(), time.Now()
		b.To(d)
		const n, size = 1000, 1000
		sent := datagrams(repeat(n, size)...)
		add(b, sent[0])
		synctest.Wait() // the writer has it, and no more
		add(b, sent[1:]...)
		kept := streamQueue/(size+frameHead) + 1
		if d.Lost() != uint64(n-kept) || d.LostBy(Full) != d.Lost() || time.Since(began) != 0 {
			t.Errorf("%d lost, want %d; took %v", d.Lost(), n-kept, time.Since(began))
		}
		for _, want := range sent[:kept] {
			if got := frame(t, peer); got != want {
				t.Fatalf("got %.6q, want %.6q", got, want)
			}
		}
		add(b, "x")
		time.Sleep(streamStall)
		synctest.Wait()
		if add(b, "x"); d.LostBy(Closed) != 1 {
			t.Errorf("a peer that takes nothing for %v is kept: %v", streamStall, d.Fault())
		}
	})
}

func TestOtherStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox()
		in.takes = func([]byte) bool { return false }
		s, peer := served(t, in)
		text := framed("other", "more") // one write: what is behind the first packet is kept as well
		go func() { _, _ = peer.Write(append(text, 0)); _, _ = peer.Write([]byte{1, 'x'}) }()
		c, err := s.others.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"other", "more", "x"} {
			if got := frame(t, c); got != want {
				t.Errorf("handed out %q, want %q", got, want)
			}
		}
		for range 2 {
			_ = c.Close()
		}
		if s.others.open.Load() != 0 || len(s.unclaimed) != 0 {
			t.Errorf("%d and %d are open", s.others.open.Load(), len(s.unclaimed))
		}
	})
}

// TestOtherStreamsAreBounded hands out no more than somebody takes.
func TestOtherStreamsAreBounded(t *testing.T) {
	o := newOtherStreams(&net.TCPAddr{})
	hand := func() net.Conn {
		here, there := net.Pipe()
		o.hand(&replayed{Conn: here, from: o})
		_ = there.SetReadDeadline(time.Now().Add(time.Millisecond))
		return there
	}
	closed := func(c net.Conn) bool {
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	for i := range maxHandedOut {
		if closed(hand()) {
			t.Fatalf("number %d is closed", i)
		}
		if _, err := o.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	if !closed(hand()) {
		t.Errorf("more than %d are open", maxHandedOut)
	}
	o.open.Store(0)
	var waiting []net.Conn
	for range cap(o.queue) {
		waiting = append(waiting, hand())
	}
	if !closed(hand()) {
		t.Error("more are kept than are accepted")
	}
	for range 2 {
		_ = o.Close()
	}
	for i, c := range append(waiting, hand()) {
		if _ = c.SetReadDeadline(time.Now().Add(patient)); !closed(c) {
			t.Errorf("number %d is left open by Close", i)
		}
	}
	if _, err := o.Accept(); !errors.Is(err, net.ErrClosed) || o.Addr() == nil || o.open.Load() != 0 {
		t.Errorf("Accept ends with %v, %d are open", err, o.open.Load())
	}
}

func TestStreamDoesNotAllocate(t *testing.T) {
	p, in := listen(t, Options{ListenTCP: "127.0.0.1:0"}), newInbox()
	run(t, p, in)
	v := dial(t, p, "127.0.0.1")
	write(t, v, framed("mine"))
	b, d, data, all := p.NewBatch(), p.NewDestination(in.next(t).from), make([]byte, 1188), make([]byte, 10*(1188+frameHead))
	send := func() {
		b.To(d)
		for range 10 {
			b.Add(copy(b.Buffer(), data))
		}
		b.Flush()
		_, _ = io.ReadFull(v, all)
	}
	for range 10 {
		send()
	}
	if n := testing.AllocsPerRun(100, send); n != 0 {
		t.Errorf("%v allocations for 10 packets", n)
	}
}

// accepting is a listener that gives what a test sends it.
type accepting struct {
	net.Listener
	next chan func() (net.Conn, error)
}

// Accept gives the next, net.ErrClosed after the last.
func (a accepting) Accept() (net.Conn, error) {
	if f, ok := <-a.next; ok {
		return f()
	}
	return nil, net.ErrClosed
}

// TestAcceptGoesOn accepts again after a failure, such as too many open files, but not at once.
func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, in, began := accepting{next: make(chan func() (net.Conn, error), 2)}, newInbox(), time.Now()
		here, there := net.Pipe()
		a.next <- func() (net.Conn, error) { return nil, syscall.EMFILE }
		a.next <- func() (net.Conn, error) { return end{here}, nil }
		s, done := &streams{listener: a, others: newOtherStreams(&net.TCPAddr{})}, make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- s.run(ctx, in) }()
		if _, err := there.Write(framed("mine")); err != nil {
			t.Fatal(err)
		}
		if got := in.next(t); got.data != "mine" || time.Since(began) != acceptPause {
			t.Errorf("received %q after %v", got.data, time.Since(began))
		}
		close(a.next)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
