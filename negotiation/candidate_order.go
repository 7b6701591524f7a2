package negotiation

import (
	"cmp"
	"slices"
)

// The order in which our candidates are told: ffmpeg uses the first host candidate alone and gives up if that
// is TCP.
const (
	hostIPv4 = iota
	hostIPv6
	hostTCP
	reflexive
	relayed
	local
)

func (c *candidate) order(loopback bool) int {
	if c.addr.IsLoopback() && !loopback {
		return local
	}
	switch {
	case c.typ == "relay":
		return relayed
	case c.typ != "host":
		return reflexive
	case c.transport == "tcp":
		return hostTCP
	case c.addr.Is6():
		return hostIPv6
	}
	return hostIPv4
}

// sortCandidates collects the candidates of a library's answer, each once. With rtcp-mux there is no second
// component, and a server that is only ever connected to has no active TCP.
func sortCandidates(d *document, loopback bool) []string {
	var all []candidate
	seen := map[candidateKey]bool{}
	for _, s := range d.sections {
		for _, a := range s.attrs {
			c, ok := parseCandidate(a.value)
			key := candidateKey{c.transport, c.name, c.port, c.typ}
			if a.key != "candidate" || !ok || c.component != "1" || c.tcpType == "active" || seen[key] {
				continue
			}
			seen[key] = true
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(a.order(loopback), b.order(loopback)),
			cmp.Compare(loopbackFirst(&a), loopbackFirst(&b)),
			cmp.Compare(b.priority, a.priority),
			cmp.Compare(a.raw, b.raw))
	})
	lines := make([]string, len(all))
	for i := range all {
		lines[i] = all[i].raw
	}
	return lines
}

type candidateKey struct {
	transport, name string
	port            uint64
	typ             string
}

// loopbackFirst puts loopback before other addresses of its class: there it only stands if it is of use.
func loopbackFirst(c *candidate) int {
	if c.addr.IsLoopback() {
		return 0
	}
	return 1
}
