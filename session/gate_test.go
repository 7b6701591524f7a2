package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// I30: each limit, and what it says.
func TestLimits(t *testing.T) {
	const far = "192.0.2.1:1"
	type visit struct {
		stream, remote string
		connected      bool
		name           string
	}
	for name, c := range map[string]struct {
		limits Limits
		before []visit
		next   visit
		want   Reason
	}{
		"none":                            {Limits{}, []visit{{"a", far, false, ""}}, visit{"a", far, false, ""}, ""},
		"sessions":                        {Limits{Sessions: 2}, []visit{{"a", far, true, ""}, {"b", "", true, ""}}, visit{"c", "", false, ""}, ReasonLimit},
		"sessions, from this machine":     {Limits{Sessions: 1}, []visit{{"a", "127.0.0.1:1", true, ""}}, visit{"b", "[::1]:2", false, ""}, ReasonLimit},
		"of a stream":                     {Limits{PerStream: 1}, []visit{{"a", far, true, ""}}, visit{"a", "", false, ""}, ReasonLimit},
		"of another stream":               {Limits{PerStream: 1}, []visit{{"a", far, true, ""}}, visit{"b", far, false, ""}, ""},
		"of an address":                   {Limits{PerIP: 1}, []visit{{"a", far, true, ""}}, visit{"b", "192.0.2.1:9", false, ""}, ReasonHostLimit},
		"of an address in IPv6 form":      {Limits{PerIP: 1}, []visit{{"a", far, true, ""}}, visit{"b", "[::ffff:192.0.2.1]:9", false, ""}, ReasonHostLimit},
		"of another address":              {Limits{PerIP: 1}, []visit{{"a", far, true, ""}}, visit{"b", "192.0.2.2:9", false, ""}, ""},
		"of an IPv6 network":              {Limits{PerIP: 1}, []visit{{"a", "[2001:db8::1]:1", true, ""}}, visit{"b", "[2001:db8::2]:1", false, ""}, ReasonHostLimit},
		"of another IPv6 network":         {Limits{PerIP: 1}, []visit{{"a", "[2001:db8::1]:1", true, ""}}, visit{"b", "[2001:db8:1::1]:1", false, ""}, ""},
		"of this machine's address":       {Limits{PerIP: 1, HalfOpenPerIP: 1}, []visit{{"a", "127.0.0.1:1", false, ""}}, visit{"a", "127.0.0.1:2", false, ""}, ""},
		"half open":                       {Limits{HalfOpen: 1}, []visit{{"a", far, false, ""}}, visit{"b", "", false, ""}, ReasonLimit},
		"half open, but connected":        {Limits{HalfOpen: 1}, []visit{{"a", far, true, ""}}, visit{"b", "", false, ""}, ""},
		"half open, of an address":        {Limits{HalfOpenPerIP: 1}, []visit{{"a", far, false, ""}}, visit{"b", far, false, ""}, ReasonHostLimit},
		"half open, of another":           {Limits{HalfOpenPerIP: 1}, []visit{{"a", far, false, ""}}, visit{"b", "192.0.2.2:1", false, ""}, ""},
		"connected, of an address":        {Limits{HalfOpenPerIP: 1}, []visit{{"a", far, true, ""}}, visit{"b", far, false, ""}, ""},
		"of a principal":                  {Limits{PerPrincipal: 1}, []visit{{"a", far, true, "ann"}}, visit{"b", "192.0.2.2:1", false, "ann"}, ReasonHostLimit},
		"of another principal":            {Limits{PerPrincipal: 1}, []visit{{"a", far, true, "ann"}}, visit{"b", far, false, "bob"}, ""},
		"of nobody in particular":         {Limits{PerPrincipal: 1}, []visit{{"a", far, true, ""}}, visit{"b", far, false, ""}, ""},
		"what is no address is not asked": {Limits{PerIP: 1}, []visit{{"a", "pipe", true, ""}}, visit{"b", "pipe", false, ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(c.limits)
			var places []*place
			for _, v := range c.before {
				p, err := g.enter(v.stream, v.remote, v.name)
				if err != nil {
					t.Fatal(err)
				}
				if v.connected {
					p.connected()
					p.connected()
				}
				places = append(places, p)
			}
			p, err := g.enter(c.next.stream, c.next.remote, c.next.name)
			if got := reasonOf(err); got != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if err != nil && refusalOf(err).RetryAfter == 0 {
				t.Error("it is not said when to come again")
			}
			if err == nil {
				places = append(places, p)
			}
			for _, p := range places {
				p.leave()
				p.leave()
				p.connected()
			}
			if g.all != (occupancy{}) || len(g.streams) != 0 || len(g.hosts) != 0 {
				t.Errorf("left behind: %+v, %v, %v", g.all, g.streams, g.hosts)
			}
		})
	}
}

// I30: with many at once, exactly as many get in as may.
func TestLimitIsExact(t *testing.T) {
	g := newGate(Limits{HalfOpen: 100, HalfOpenPerIP: 10})
	var in atomic.Int32
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if _, err := g.enter("cam", fmt.Sprintf("192.0.2.%d:1", i%50), ""); err == nil {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 100 {
		t.Errorf("%d got in", in.Load())
	}
}

// I30, A79, J21: 1000 POSTs at once make as many connections as may be half open; they are let go after ice_timeout, and
// those from this machine count against the total only.
func TestHalfOpenSessions(t *testing.T) {
	onBench(t, Terms{}, Options{Limits: Limits{HalfOpen: 200, HalfOpenPerIP: 1}}, func(b *bench) {
		b.source("main", picture)
		var refused atomic.Int32
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				_, _, err := b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer, RemoteAddress: "127.0.0.1:1"})
				if reasonOf(err) == ReasonLimit {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		if refused.Load() != 800 || len(b.fake.senders) != 200 || len(b.Sessions()) != 200 {
			b.t.Fatalf("%d refused, %d connections, %d sessions", refused.Load(), len(b.fake.senders), len(b.Sessions()))
		}
		s := b.Sessions()[0]
		time.Sleep(9 * time.Second)
		if isDone(s) {
			b.t.Error("let go too early")
		}
		time.Sleep(2 * time.Second)
		if n := len(b.Sessions()); n != 0 || b.gate.all != (occupancy{}) || b.stream.Wanted() {
			b.t.Errorf("left: %d sessions, %+v", n, b.gate.all)
		}
		b.play(PlayRequest{RemoteAddress: "192.0.2.1:1"})
	})
}

// I30: a session that is connected is half open no more.
func TestConnectedIsNotHalfOpen(t *testing.T) {
	onBench(t, Terms{}, Options{Limits: Limits{HalfOpen: 1}}, func(b *bench) {
		b.source("main", picture)
		_, v := b.play(PlayRequest{})
		if err := errorOf(b.Play(b.t.Context(), PlayRequest{Stream: "cam", Offer: viewerOffer})); reasonOf(err) != ReasonLimit {
			t.Errorf("%v", err)
		}
		v.connect()
		synctest.Wait()
		b.play(PlayRequest{})
	})
}
