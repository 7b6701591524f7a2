package transcode

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/media"
	"sluice/worker"
)

// Totals is what all workers of a stream for one kind and codec have done, those included that have ended.
type Totals struct {
	Kind     media.Kind // video, audio or KindSink
	Codec    media.Codec
	Restarts uint64
	In       uint64 // frames
	Out      uint64
	Dropped  uint64
	CPU      time.Duration
}

func (t *Totals) add(p worker.Stats) {
	t.In, t.Out, t.Dropped, t.CPU = t.In+p.In, t.Out+p.Out, t.Dropped+p.Dropped, t.CPU+p.CPU
}

// product is what totals are kept of. There are few, whatever renditions are called.
type product struct {
	kind  media.Kind
	codec media.Codec
}

// ledger adds up what the processes of a stream do. None of its sums ever falls.
type ledger struct {
	mu   sync.Mutex
	past map[product]Totals  // of processes that have ended
	live map[process]product // those that have not
}

func newLedger() ledger {
	return ledger{past: make(map[product]Totals), live: make(map[process]product)}
}

// begin takes a process in that has been started.
func (l *ledger) begin(p process, of product) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[p] = of
}

// end writes down what a process has done, once it has gone.
func (l *ledger) end(p process) {
	done := p.Stats()
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.live[p]
	delete(l.live, p)
	sum := l.past[of]
	sum.add(done)
	l.past[of] = sum
}

func (l *ledger) restart(of product) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := l.past[of]
	sum.Restarts++
	l.past[of] = sum
}

// Totals lists what has been made of the stream since the start, by kind and codec.
func (t *Stream) Totals() []Totals {
	sums, live := t.ledger.copy()
	for p, of := range live { // those that end meanwhile are told as they ended
		sum := sums[of]
		sum.add(p.Stats())
		sums[of] = sum
	}
	all := make([]Totals, 0, len(sums))
	for of, sum := range sums {
		sum.Kind, sum.Codec = of.kind, of.codec
		all = append(all, sum)
	}
	slices.SortFunc(all, func(a, b Totals) int { return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Codec, b.Codec)) })
	return all
}

func (l *ledger) copy() (past map[product]Totals, live map[process]product) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.past), maps.Clone(l.live)
}
