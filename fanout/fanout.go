package fanout

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/media"
	"sluice/negotiation"
	"sluice/rtpout"
	"sluice/transport"
)

// Options is what the sessions of a process have in common.
type Options struct {
	Port           *transport.Port // read by Run; closed by who opened it
	Certificate    tls.Certificate
	ConsentTimeout time.Duration // how long a silent viewer is kept; 0: 30 s
	Shards         int           // 0: one for each core
	Log            *slog.Logger
}

const (
	defaultConsentTimeout = 30 * time.Second
	// sweep is how often silent viewers are looked for.
	sweep = time.Second

	streamID = "sluice"
)

// Fanout is all viewers on the fast way. Make it with New and run it once; the other methods may be called from any
// goroutine.
type Fanout struct {
	options    Options // fixed
	handshaker *handshaker
	shards     []*shard // fixed
	table      *table
	counters   *counters
	responders sync.Pool // of *responder
	began      time.Time // fixed

	handshakes chan *Session // capacity handshakesWaiting; sent to by receivers, never closed
	alerts     chan alert    // capacity 256; likewise

	mu       sync.Mutex
	sessions map[*Session]struct{} // guarded by mu
}

// alert is a DTLS record that may be a goodbye.
type alert struct {
	session *Session
	record  []byte
}

// New makes a Fanout that sends nothing yet.
func New(o Options) *Fanout {
	if o.ConsentTimeout == 0 {
		o.ConsentTimeout = defaultConsentTimeout
	}
	if o.Shards == 0 {
		o.Shards = runtime.GOMAXPROCS(0)
	}
	f := &Fanout{
		options: o, handshaker: newHandshaker(o.Certificate, o.Log), table: newTable(), counters: newCounters(),
		began: time.Now(), responders: sync.Pool{New: func() any { return newResponder() }},
		handshakes: make(chan *Session, handshakesWaiting), alerts: make(chan alert, 256),
		sessions: make(map[*Session]struct{}),
	}
	for range o.Shards {
		f.shards = append(f.shards, newShard(o.Port))
	}
	return f
}

// Run reads the port and sends until ctx is done or the port is closed.
func (f *Fanout) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return f.options.Port.Run(ctx, f) })
	for _, sh := range f.shards {
		group.Go(func() error {
			sh.run(ctx)
			return nil
		})
	}
	group.Go(func() error {
		f.shakeHands(ctx)
		return nil
	})
	group.Go(func() error {
		f.watch(ctx)
		return nil
	})
	return group.Wait()
}

// shakeHands makes handshakes, a bounded number at once. One that takes long gives its turn to the next, and goes on.
func (f *Fanout) shakeHands(ctx context.Context) {
	var workers errgroup.Group
	workers.SetLimit(handshakesUnderWay)
	defer func() { _ = workers.Wait() }()
	turns := make(chan struct{}, handshakesAtOnce)
	for {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case s := <-f.handshakes:
			workers.Go(func() error {
				defer f.counters.waiting.Add(-1)
				end := sync.OnceFunc(func() { <-turns })
				defer end()
				defer time.AfterFunc(handshakeTurn, end).Stop()
				s.shake(ctx)
				return nil
			})
		case <-ctx.Done():
			return
		}
	}
}

// queue has a handshake made; false if too many wait already.
func (f *Fanout) queue(s *Session) bool {
	f.counters.waiting.Add(1)
	select {
	case f.handshakes <- s:
		return true
	default:
		f.counters.waiting.Add(-1)
		f.counters.refusedHandshakes.Add(1)
		return false
	}
}

// goodbye has a record looked at that may end a session, unless too many wait: who is gone shows that by silence too.
func (f *Fanout) goodbye(s *Session, data []byte) {
	if !isAlert(data) {
		return
	}
	select {
	case f.alerts <- alert{session: s, record: slices.Clone(data)}:
	default:
	}
}

// watch ends the sessions of viewers who have left, by a word or without.
func (f *Fanout) watch(ctx context.Context) {
	tick := time.NewTicker(sweep)
	defer tick.Stop()
	for {
		select {
		case a := <-f.alerts:
			if a.session.inner.reads(a.record) {
				a.session.end(transport.ErrPeerLeft)
			}
		case now := <-tick.C:
			for _, s := range f.all() {
				f.look(s, now)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (f *Fanout) look(s *Session, now time.Time) {
	switch {
	case s.inner.left():
		s.end(transport.ErrPeerLeft)
	case s.silentFor(now) > f.options.ConsentTimeout:
		s.end(&transport.UnreachableError{WasConnected: s.isConnected()})
	default:
		s.inner.settle(now)
	}
}

func (f *Fanout) all() []*Session {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*Session, 0, len(f.sessions))
	for s := range f.sessions {
		all = append(all, s)
	}
	return all
}

// Receive takes what comes in for a session: checks that name it, and all else that comes from where its checks came
// from (RFC 7983).
func (f *Fanout) Receive(data []byte, from transport.Path) bool {
	if isSTUN(data) {
		return f.receiveCheck(data, from)
	}
	s := f.table.at(from)
	if s == nil || len(data) == 0 {
		return false
	}
	switch first := data[0]; {
	case first >= 20 && first <= 63:
		s.receiveDTLS(data, from)
	case first >= 128 && first <= 191:
		s.receiveRTCP(data)
	}
	return true
}

// receiveCheck answers an ICE check. Nothing changes before its integrity is verified.
func (f *Fanout) receiveCheck(data []byte, from transport.Path) bool {
	ufrag, ok := localUfrag(data)
	if !ok {
		return f.table.at(from) != nil
	}
	s := f.table.named(ufrag)
	if s == nil {
		return false
	}
	key, ok := s.ice.key(ufrag)
	if !ok {
		return true
	}
	r := f.responders.Get().(*responder)
	defer f.responders.Put(r)
	check := r.answer(data, from.Remote, &key)
	s.witness.Incoming(data)
	switch {
	case len(check.Reply) == 0:
		f.counters.failedCheck.Add(1)
		s.witness.Wrong()
		if from.Conn != nil {
			from.Conn.Close() // its peer knows nothing, and would hold the connection by more of the same
		}
		return true
	case check.OK:
		if !s.passed(from, &key, check.Nominated) {
			return true
		}
		s.alive(time.Now())
	}
	s.witness.Outgoing(check.Reply, f.options.Port.WriteTo(check.Reply, from)) // lost like any datagram: the viewer asks again
	return true
}

// Play answers a viewer's offer as the plan says; SlowReason must be "". The caller closes the session. Errors are
// those of negotiation.MakeAnswer.
func (f *Fanout) Play(offer *negotiation.Offer, plan *negotiation.Plan, o rtpout.PlayOptions) (*Session, error) {
	tagged := offer.Tagged()
	key := newCredentials(tagged.ICEUfrag, tagged.ICEPwd)
	s := &Session{
		fanout: f, shard: f.leastLoaded(), options: o, wanted: slices.Clone(tagged.Fingerprints),
		connected: make(chan struct{}), done: make(chan struct{}),
	}
	s.ice.keys = []credentials{key}
	answer, err := f.answer(s, offer, plan, &key)
	if err != nil {
		return nil, err
	}
	s.description = answer
	s.mid, s.kind = tagged.MID, tagged.Kind
	s.alive(time.Now())
	s.shard.sessions.Add(1)
	f.table.add(key.ufrag, s)
	f.mu.Lock()
	f.sessions[s] = struct{}{}
	f.mu.Unlock()
	return s, nil
}

// answer makes the answer and what is sent by it.
func (f *Fanout) answer(s *Session, offer *negotiation.Offer, plan *negotiation.Plan, key *credentials) (string, error) {
	sources := make(map[string]negotiation.Source)
	cname := rand.Text()[:16]
	ids := newSSRCs()
	for _, c := range plan.Sections {
		if !c.Action.Sends() {
			continue
		}
		out := rtpout.Outgoing{
			Track: c.Track, SSRC: ids.next(), PayloadType: c.Format.PayloadType,
			NACK: slices.Contains(c.Format.Feedback, "nack"), CNAME: cname,
		}
		if c.Format.RTX != 0 && out.NACK {
			out.RTX, out.RTXSSRC = c.Format.RTX, ids.next()
		}
		if section, ok := offer.Section(c.MID); ok && c.Kind == media.Video {
			out.PlayoutDelay, _ = section.ExtensionID(negotiation.PlayoutDelay)
		}
		s.outgoing = append(s.outgoing, out)
		sources[c.MID] = negotiation.Source{SSRC: out.SSRC, RTX: out.RTXSSRC, CNAME: cname, Track: c.Track.ID}
	}
	return negotiation.MakeAnswer(offer, negotiation.AnswerOptions{
		Plan: plan, StreamID: streamID, Loopback: s.options.Loopback,
	}, negotiation.Transport{
		ICEUfrag: key.ufrag, ICEPwd: key.pwd, Fingerprint: f.handshaker.fingerprint(), Setup: "passive", ICELite: true,
		Candidates: f.candidates(s), Sources: sources, Extensions: []string{negotiation.PlayoutDelay},
	})
}

// candidates are where the viewer reaches us.
func (f *Fanout) candidates(s *Session) []string {
	p := f.options.Port
	return append(p.Candidates(s.options.Loopback), p.TCPCandidates(s.options.Loopback)...)
}

// fragment is our side of a restarted ICE session.
func (f *Fanout) fragment(s *Session, key *credentials) *negotiation.Fragment {
	own := &negotiation.Fragment{
		ICEUfrag: key.ufrag, ICEPwd: key.pwd, EndOfCandidates: true, ICELite: true, MID: s.mid, Kind: s.kind,
	}
	for _, c := range f.candidates(s) {
		own.Candidates = append(own.Candidates, negotiation.FragmentCandidate{MID: s.mid, Value: c})
	}
	return own
}

func (f *Fanout) leastLoaded() *shard {
	return slices.MinFunc(f.shards, func(a, b *shard) int { return int(a.sessions.Load() - b.sessions.Load()) })
}

// forget takes a session out of the list.
func (f *Fanout) forget(s *Session) {
	s.shard.sessions.Add(-1)
	f.mu.Lock()
	delete(f.sessions, s)
	f.mu.Unlock()
}

// Stats reads the counters.
func (f *Fanout) Stats() Stats {
	f.mu.Lock()
	n := len(f.sessions)
	f.mu.Unlock()
	c := f.counters
	return Stats{
		Sessions: n, Handshakes: int(c.waiting.Load()), Completed: c.completed.Load(), Failed: c.failed.Load(),
		Refused: c.refusedHandshakes.Load(), Replayed: c.replayed.Load(), Forged: c.forged.Load(),
		Malformed: c.malformed.Load(), FailedCheck: c.failedCheck.Load(), RTT: c.rtt.read(), Loss: c.loss.read(),
	}
}

// ssrcs hands out distinct synchronisation sources.
type ssrcs []uint32

func newSSRCs() *ssrcs { return new(ssrcs) }

func (all *ssrcs) next() uint32 {
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		if n := binary.BigEndian.Uint32(b[:]); n != 0 && !slices.Contains(*all, n) {
			*all = append(*all, n)
			return n
		}
	}
}
