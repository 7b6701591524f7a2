package fanout

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/hub"
	"sluice/transport"
)

// pace is how often sessions are looked at that have more to send than they may at once.
const pace = 2 * time.Millisecond

// shard sends to a part of the sessions, on one goroutine and with one batch: sessions of different shards share
// nothing but the stream's ring. See docs/decisions/0006-fast-path.md.
type shard struct {
	batch    *transport.Batch // owned by run
	signal   chan struct{}    // capacity 1; sent to by whoever has something for run, never closed
	sessions atomic.Int32     // how many it has

	mu     sync.Mutex
	groups map[*hub.Stream]*group // guarded by mu; those with sessions
	ready  []*group               // guarded by mu; woken and not looked at yet
	poked  []*Session             // guarded by mu; with resends, or new

	// Owned by run.
	woken []*group
	calls []*Session
	late  []*Session // paced: to be looked at again without a wake
	spare []*Session // the array of late before the last turn
}

func newShard(p *transport.Port) *shard {
	return &shard{batch: p.NewBatch(), signal: make(chan struct{}, 1), groups: make(map[*hub.Stream]*group)}
}

// group is the sessions of one shard that watch one stream: the stream's writer wakes them all at once.
type group struct {
	shard *shard // fixed
	woken atomic.Bool

	sessions []*Session // guarded by shard.mu for changes, which replace it; run reads its own copy
}

// Wake is called by the stream's writer.
func (g *group) Wake() {
	if g.woken.Swap(true) {
		return
	}
	g.shard.mu.Lock()
	g.shard.ready = append(g.shard.ready, g)
	g.shard.mu.Unlock()
	g.shard.wake()
}

func (sh *shard) wake() {
	select {
	case sh.signal <- struct{}{}:
	default:
	}
}

// group is that of a stream, made if there is none. It is held by a session from join on.
func (sh *shard) group(stream *hub.Stream) *group {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	g := sh.groups[stream]
	if g == nil {
		g = &group{shard: sh}
		sh.groups[stream] = g
	}
	return g
}

// join has a session sent to from now on.
func (sh *shard) join(stream *hub.Stream, s *Session) {
	sh.mu.Lock()
	if sh.groups[stream] == nil { // its last session has left meanwhile, or never came
		sh.groups[stream] = s.group
	}
	s.group.sessions = append(slices.Clone(s.group.sessions), s)
	sh.mu.Unlock()
	sh.poke(s)
}

// forgo gives up a group that nobody has joined.
func (sh *shard) forgo(stream *hub.Stream, g *group) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(g.sessions) == 0 && sh.groups[stream] == g {
		delete(sh.groups, stream)
	}
}

// leave ends what join began.
func (sh *shard) leave(stream *hub.Stream, s *Session) {
	sh.mu.Lock()
	g := s.group
	g.sessions = slices.DeleteFunc(slices.Clone(g.sessions), func(o *Session) bool { return o == s })
	sh.mu.Unlock()
	sh.forgo(stream, g)
}

// poke has run look at a session soon.
func (sh *shard) poke(s *Session) {
	if s.poked.Swap(true) {
		return
	}
	sh.mu.Lock()
	sh.poked = append(sh.poked, s)
	sh.mu.Unlock()
	sh.wake()
}

// run sends until ctx is done.
func (sh *shard) run(ctx context.Context) {
	timer := time.NewTimer(pace)
	timer.Stop()
	for {
		select {
		case <-sh.signal:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		sh.turn()
		if len(sh.late) > 0 {
			timer.Reset(pace)
		}
	}
}

// turn looks at all sessions that have something to be sent, each to its end before the next: packets of one picture
// and viewer go out as one message.
func (sh *shard) turn() {
	now := time.Now()
	sh.collect()
	late := sh.late
	sh.late = sh.spare[:0]
	for _, s := range late {
		s.isLate = false
		sh.pump(s, now)
	}
	for _, s := range sh.calls {
		s.poked.Store(false)
		sh.pump(s, now)
	}
	for _, g := range sh.woken {
		g.woken.Store(false)
		for _, s := range sh.members(g) {
			sh.pump(s, now)
		}
		sh.batch.Flush()
	}
	sh.batch.Flush()
	clear(sh.calls)
	clear(sh.woken)
	clear(late)
	sh.spare = late
}

// collect takes what has come since the last turn. Its slices are used again, so that nothing is allocated.
func (sh *shard) collect() {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.woken, sh.ready = sh.ready, sh.woken[:0]
	sh.calls, sh.poked = sh.poked, sh.calls[:0]
}

func (sh *shard) members(g *group) []*Session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return g.sessions
}

// pump sends what a session has. One that is paced is looked at again.
func (sh *shard) pump(s *Session, now time.Time) {
	if s.pump(sh.batch, now) && !s.isLate {
		s.isLate = true
		sh.late = append(sh.late, s)
	}
}
