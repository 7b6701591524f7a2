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

// candidates is the values of the candidate lines of all sections.
func (d *document) candidates() []string {
	var values []string
	for _, s := range d.sections {
		for _, a := range s.attrs {
			if a.key == "candidate" {
				values = append(values, a.value)
			}
		}
	}
	return values
}

// sortCandidates puts candidates of ours in order, each once. With rtcp-mux there is no second component, and a
// server that is only ever connected to has no active TCP.
func sortCandidates(values []string, loopback bool) []string {
	var all []candidate
	seen := map[candidateKey]bool{}
	for _, value := range values {
		c, ok := parseCandidate(value)
		key := candidateKey{c.transport, c.name, c.port, c.typ}
		if !ok || c.component != "1" || c.tcpType == "active" || seen[key] {
			continue
		}
		seen[key] = true
		all = append(all, c)
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
