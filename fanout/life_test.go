package fanout

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

func (h *house) feed() rtpout.Feed {
	return rtpout.Feed{Stream: h.stream, Rendition: media.MainRendition, Start: hub.StartGOP}
}

// isEmpty reports whether nothing is kept of any session.
func (h *house) isEmpty() bool {
	h.table.mu.RLock()
	defer h.table.mu.RUnlock()
	return len(h.table.byUfrag)+len(h.table.byPath) == 0 && h.Stats().Sessions == 0 && h.groups() == 0
}

func (h *house) groups() (n int) {
	for _, sh := range h.shards {
		sh.mu.Lock()
		n += len(sh.groups)
		sh.mu.Unlock()
	}
	return n
}

func TestNothingIsLeftOfASession(t *testing.T) {
	restart := &negotiation.Fragment{ICEUfrag: "abcd", ICEPwd: "0123456789012345678901"}
	for name, then := range map[string]func(t *testing.T, h *house, s *Session){
		"that is restarted after its end": func(t *testing.T, _ *house, s *Session) {
			if _, err := s.Restart(restart); !errors.Is(err, ErrOver) {
				t.Errorf("Restart returned %v", err)
			}
		},
		"whose check is late": func(t *testing.T, _ *house, s *Session) {
			key := s.ice.keys[0]
			if s.passed(transport.Path{Remote: netip.MustParseAddrPort("192.0.2.1:9")}, &key, true) {
				t.Error("a check passed")
			}
		},
		"that is started after its end": func(t *testing.T, h *house, s *Session) {
			if _, err := s.Start(h.feed()); !errors.Is(err, ErrOver) {
				t.Errorf("Start returned %v", err)
			}
		},
		"whose stream was removed": func(t *testing.T, h *house, s *Session) {
			h.streams.Close()
			if _, err := s.Start(h.feed()); !errors.Is(err, hub.ErrClosed) {
				t.Errorf("Start returned %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, Options{})
			v := newRawViewer(t, h)
			v.check(nominate())
			v.session.Close()
			then(t, h, v.session)
			if !h.isEmpty() {
				t.Errorf("%v, %v and %d groups are left", h.table.byUfrag, h.table.byPath, h.groups())
			}
		})
	}
}

// Start and Close at once leave no session in a group, whichever comes first.
func TestStartBesideClose(t *testing.T) {
	h := newHouse(t, Options{})
	for range 200 {
		s := &Session{fanout: h.Fanout, shard: h.shards[0], connected: make(chan struct{}), done: make(chan struct{})}
		h.mu.Lock()
		h.sessions[s] = struct{}{}
		h.mu.Unlock()
		started := make(chan struct{})
		go func() {
			defer close(started)
			_, _ = s.Start(h.feed())
		}()
		s.Close()
		<-started
	}
	if n := h.groups(); n != 0 {
		t.Errorf("%d groups are left", n)
	}
}

func TestStartTwice(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	if _, err := v.session.Start(h.feed()); !errors.Is(err, ErrStarted) {
		t.Errorf("Start returned %v", err)
	}
	v.awaitMedia("from the first start")
	v.session.Close()
	if !h.isEmpty() {
		t.Error("something is left")
	}
}

// The owner of a session may close it after Run has ended.
func TestCloseAfterRun(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	h.stop()
	v.session.Close()
	if !h.isEmpty() {
		t.Error("something is left")
	}
}

// A viewer who sends from one socket to several addresses of ours is known by that socket as long as one of the ways
// is remembered.
func TestAddressIsKnownByEachOfItsWays(t *testing.T) {
	h := newHouse(t, Options{})
	v := newRawViewer(t, h)
	key := v.session.ice.keys[0]
	way := func(local byte, port uint16) transport.Path {
		return transport.Path{
			Remote: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port), Local: netip.AddrFrom4([4]byte{10, 0, 0, local}),
		}
	}
	v.session.passed(way(1, 1), &key, false)
	v.session.passed(way(2, 1), &key, true)
	for port := range uint16(pathsPerSession - 1) {
		v.session.passed(way(1, 100+port), &key, false)
	}
	if n := len(v.session.ice.stops); n != pathsPerSession {
		t.Fatalf("%d ways are remembered", n)
	}
	if h.table.at(way(2, 1)) != v.session {
		t.Error("the address that media go to is not known any more")
	}
}

// Nobody takes the address of a connected viewer by checks from there, which may be forged; once that viewer has
// fallen silent somebody else may be behind the address.
func TestAddressIsKeptWhileItsViewerIsHeard(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	first, second := newRawViewer(t, h), newRawViewer(t, h)
	first.join()
	at := transport.Path{Remote: first.conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	thief := second.request(second.theirs.remotePwd, nominate())
	first.check() // heard now
	first.send(thief)
	first.check() // answered after it
	if h.table.at(at) != first.session || second.session.RemoteAddress() != "" || len(first.stun) > 0 {
		t.Error("a check took the address of a viewer who is there")
	}
	eventually(t, "given to who is there now", func() bool {
		first.send(thief)
		return h.table.at(at) == second.session
	})
	if quiet := first.session.silentFor(time.Now()); quiet < heldFor {
		t.Errorf("the address was taken %v after its viewer was heard", quiet)
	}
	first.session.Close()
	if h.table.at(at) != second.session {
		t.Error("the end of the first viewer took the address away from the second")
	}
}

// J112: peers who begin a handshake and fall silent, as many as are worked on at once, don't keep others waiting.
func TestStalledHandshakesKeepNobodyWaiting(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	var stallers []*rawViewer
	for range handshakesAtOnce {
		stallers = append(stallers, newRawViewer(t, h))
	}
	for _, s := range stallers { // all soon after one another: the first must not be given up before the last begins
		s.check(nominate())
		s.send([]byte{22})
	}
	eventually(t, "all under way", func() bool { return h.Stats().Handshakes == handshakesAtOnce })
	began := time.Now()
	v.join()
	if took := time.Since(began); took > handshakeLimit/2 {
		t.Errorf("an honest viewer had to wait %v", took)
	}
	if n := h.Stats().Handshakes; n < handshakesAtOnce {
		t.Fatalf("only %d handshakes are stalled", n)
	}
}

// J123: who floods us with feedback is read a part of it, and stays connected.
func TestFloodOfFeedbackIsCutOff(t *testing.T) {
	h := newHouse(t, Options{})
	h.film(t, 500)
	v := newRawViewer(t, h)
	v.join()
	nack := &rtcp.TransportLayerNack{MediaSSRC: v.session.outgoing[0].SSRC, Nacks: []rtcp.NackPair{{LostPackets: 0xFFFF}}}
	eventually(t, "cut off", func() bool {
		for range maxFeedback {
			v.send(v.sealed(nack))
		}
		v.awaitMedia("during the flood")
		return h.Stats().Malformed > 0
	})
	v.awaitMedia("after the flood")
}

func TestFeedbackIsCountedBySecond(t *testing.T) {
	var e ears
	for second := range 3 {
		read := 0
		for range 2 * maxFeedback {
			if e.bears(time.Duration(second)*time.Second + time.Millisecond) {
				read++
			}
		}
		if read != maxFeedback {
			t.Errorf("%d packets were read in second %d", read, second)
		}
	}
}
