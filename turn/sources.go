package turn

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// sources limits how often one source address is answered before it has shown that it gets our answers, so that
// nobody is flooded through us. Its memory is fixed: addresses that meet in one of the 4096 places share its answers,
// so no address gets more than its own, whatever others are put between. A flood with false addresses locks out one in
// 4096 for each address that it keeps at the limit.
//
// Owned by one goroutine.
type sources struct {
	seed   maphash.Seed
	perSec float64
	burst  float64
	places [4096]place
}

// place is a token bucket; the zero place is full.
type place struct {
	tokens float64
	at     time.Time
}

func newSources(perSec, burst float64) *sources {
	return &sources{seed: maphash.MakeSeed(), perSec: perSec, burst: burst}
}

func (s *sources) allow(from netip.Addr, now time.Time) bool {
	p := &s.places[maphash.Comparable(s.seed, household(from))%uint64(len(s.places))]
	p.tokens = min(s.burst, p.tokens+now.Sub(p.at).Seconds()*s.perSec)
	p.at = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}
