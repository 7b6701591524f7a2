package turn

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// sources limits how often one source address is answered before it has shown that it gets our answers, so that
// nobody is flooded through us. Its memory is fixed: two addresses that meet in one place push each other out, which
// favours them; a flood with many false addresses locks nobody out.
//
// Owned by one goroutine.
type sources struct {
	seed   maphash.Seed
	perSec float64
	burst  float64
	places [4096]source
}

type source struct {
	ip     netip.Addr
	tokens float64
	at     time.Time
}

func newSources(perSec, burst float64) *sources {
	return &sources{seed: maphash.MakeSeed(), perSec: perSec, burst: burst}
}

func (s *sources) allow(from netip.Addr, now time.Time) bool {
	ip := household(from)
	p := &s.places[maphash.Comparable(s.seed, ip)%uint64(len(s.places))]
	if p.ip != ip {
		*p = source{ip: ip, tokens: s.burst, at: now}
	}
	p.tokens = min(s.burst, p.tokens+now.Sub(p.at).Seconds()*s.perSec)
	p.at = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}
