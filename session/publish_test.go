package session

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/hub"
	"sluice/peer"
	"sluice/transport"
)

// A14: who publishes when somebody publishes already, and when the other one is let go.
func TestConflicts(t *testing.T) {
	for name, c := range map[string]struct {
		policy        Conflict
		first, second string
		connects      bool // the second
		want          Reason
		publishes     int // 1 or 2; 0: neither
	}{
		"replace: the same":                     {ConflictReplace, "ann", "ann", true, "", 2},
		"replace: nobody told from others":      {"", "", "", true, "", 2},
		"replace: the same never connects":      {ConflictReplace, "ann", "ann", false, "", 1},
		"replace: somebody else":                {ConflictReplace, "ann", "bob", false, ReasonBusy, 1},
		"reject: the same":                      {ConflictReject, "ann", "ann", false, ReasonBusy, 1},
		"reject: somebody else":                 {ConflictReject, "ann", "bob", false, ReasonBusy, 1},
		"replace: somebody else against nobody": {ConflictReplace, "", "bob", false, ReasonBusy, 1},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, Terms{Publish: true, OnConflict: c.policy}, Options{}, func(b *bench) {
				first, r1 := b.publish(c.first, publisherOffer)
				r1.connect()
				r1.sends("", true)
				second, _, err := b.Publish(b.t.Context(), PublishRequest{Stream: "cam", Offer: publisherOffer, Principal: who(c.second)})
				if reasonOf(err) != c.want {
					t.Fatalf("%v", err)
				}
				synctest.Wait()
				if isDone(first) {
					t.Fatal("the first is cut before the second is connected")
				}
				if c.connects {
					r2 := b.fake.receiver(1)
					r2.connect()
					synctest.Wait()
					if !isDone(first) || !errors.Is(first.endedBy(), ErrReplaced) {
						t.Fatalf("the first goes on: %v", first.endedBy())
					}
					r2.sends("", true)
				}
				time.Sleep(11 * time.Second)
				b.wantRenditions("in the end", "main")
				if st, _ := b.stream.State(); st != hub.StateReady {
					t.Errorf("the source is %s", st)
				}
				if isDone(first) != (c.publishes == 2) || second != nil && isDone(second) != (c.publishes == 1) {
					t.Error("the wrong session is over")
				}
			})
		})
	}
}

// A14: a connection that is dead already holds nobody up, and a newer session is not cut by an older one that connects
// late.
func TestConflictOrder(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		dead, r0 := b.publish("", publisherOffer)
		r0.connect()
		r0.sends("", true)
		r0.lose(&transport.UnreachableError{WasConnected: true})
		synctest.Wait()
		if !isDone(dead) {
			t.Fatal("a dead session lives on")
		}
		older, _ := b.publish("", publisherOffer)
		newer, r2 := b.publish("", publisherOffer)
		r2.connect()
		synctest.Wait()
		if !isDone(older) || isDone(newer) || !errors.Is(older.endedBy(), ErrReplaced) {
			t.Errorf("older: %v, newer: %v", older.endedBy(), newer.endedBy())
		}
		r2.sends("", true)
		b.wantRenditions("in the end", "main")
	})
}

// A14: the newer one writes only once the older has let go, and nothing that comes meanwhile goes elsewhere.
func TestTakeOverWaits(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		_, r1 := b.publish("", publisherOffer)
		r1.connect()
		r1.sends("", true)
		busy := make(chan struct{})
		r1.calls <- func(peer.Sink) { <-busy } // it is in the midst of something
		_, r2 := b.publish("", publisherOffer)
		r2.connect()
		synctest.Wait()
		select {
		case r2.calls <- func(peer.Sink) {}:
			t.Error("the newer is read already")
		default:
		}
		close(busy)
		r2.sends("", true)
		b.wantRenditions("in the end", "main")
	})
}

// A14: a newer one that dies while it waits for the older leaves the stream to whoever comes next.
func TestTakeOverFails(t *testing.T) {
	onBench(t, publishing, Options{}, func(b *bench) {
		first, r1 := b.publish("", publisherOffer)
		r1.connect()
		r1.sends("", true)
		busy := make(chan struct{})
		r1.calls <- func(peer.Sink) { <-busy }
		second, r2 := b.publish("", publisherOffer)
		r2.connect()
		synctest.Wait()
		r2.lose(transport.ErrPeerLeft)
		synctest.Wait()
		if !isDone(second) || isDone(first) {
			t.Error("the newer one lives on, or the older has left in the midst of something")
		}
		third, r3 := b.publish("", publisherOffer)
		r3.connect()
		close(busy)
		r3.sends("", true)
		if !isDone(first) || !errors.Is(first.endedBy(), ErrReplaced) || isDone(third) {
			t.Errorf("first: %v, third: %v", first.endedBy(), third.endedBy())
		}
		b.wantRenditions("in the end", "main")
	})
}

// A14: of many who come at once to a stream that nobody publishes, exactly one publishes in the end.
func TestPublishersRace(t *testing.T) {
	for policy, answered := range map[Conflict]int{ConflictReplace: 50, ConflictReject: 1} {
		t.Run(string(policy), func(t *testing.T) {
			onBench(t, Terms{Publish: true, OnConflict: policy}, Options{}, func(b *bench) {
				var all sync.WaitGroup
				for range 50 {
					all.Go(func() {
						_, _, err := b.Publish(b.t.Context(), PublishRequest{Stream: "cam", Offer: publisherOffer})
						if err != nil && reasonOf(err) != ReasonBusy {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if n := len(b.fake.receivers); n != answered {
					t.Fatalf("%d are answered, want %d", n, answered)
				}
				for _, r := range b.fake.receivers {
					all.Go(r.connect)
				}
				all.Wait()
				synctest.Wait()
				if n := len(b.Sessions()); n != 1 {
					t.Errorf("%d sessions are left", n)
				}
			})
		})
	}
}

// Why a publisher is refused, and that nothing stays behind.
func TestPublishRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		terms  Terms
		stream string
		offer  string
		want   Reason
	}{
		"a stream with a source": {Terms{}, "cam", publisherOffer, ReasonNotPublishable},
		"no such stream":         {publishing, "none", publisherOffer, ReasonNoStream},
		"no offer":               {publishing, "cam", "hello", ReasonMalformedSDP},
		"an offer to receive":    {publishing, "cam", viewerOffer, ReasonUnservable},
		"a defect of ours":       {publishing, "cam", publisherOffer, ReasonInternal},
	} {
		t.Run(name, func(t *testing.T) {
			released := 0
			c.terms.Release = func() { released++ }
			onBench(t, c.terms, Options{}, func(b *bench) {
				if c.want == ReasonInternal {
					b.fake.err = errors.New("no certificate")
				}
				_, _, err := b.Publish(b.t.Context(), PublishRequest{Stream: c.stream, Offer: c.offer})
				if reasonOf(err) != c.want {
					t.Errorf("%v, want %s", err, c.want)
				}
				found := c.want != ReasonNoStream
				if b.gate.all != (occupancy{}) || b.desk.taken("cam") || (released == 1) != found {
					t.Errorf("left behind: %+v; the stream was released %d times", b.gate.all, released)
				}
			})
		})
	}
}

// A session holds its stream until it is over.
func TestSessionHoldsItsStream(t *testing.T) {
	released := 0
	terms := Terms{Publish: true, Release: func() { released++ }}
	onBench(t, terms, Options{}, func(b *bench) {
		s, r := b.publish("", publisherOffer)
		r.connect()
		r.sends("", true)
		v, _ := b.play(PlayRequest{})
		if released != 0 {
			t.Error("released while in use")
		}
		s.Close()
		v.Close()
		if released != 2 {
			t.Errorf("released %d times", released)
		}
	})
}
