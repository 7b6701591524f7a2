package session

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// mostShown is how many candidates of one side a verdict names.
const mostShown = 12

// told is the part of a candidate line that a verdict tells of (RFC 8839 5.1).
type told struct {
	kind string     // one of candidateKinds
	tcp  bool       // it is reached by TCP alone
	name string     // as it stands in the line
	addr netip.Addr // invalid for a name
	port string
}

// candidatesIn are those of an SDP.
func candidatesIn(sdp string) []told {
	var values []string
	for line := range strings.Lines(sdp) {
		if v, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			values = append(values, v)
		}
	}
	return candidatesOf(values)
}

// candidatesOf reads the values of candidate lines, each once. What can't be read is none.
func candidatesOf(values []string) []told {
	var all []told
	for _, v := range values {
		f := strings.Fields(v)
		if len(f) < 8 || f[6] != "typ" || f[1] != "1" {
			continue
		}
		c := told{kind: kindOfCandidate(f[7]), tcp: strings.EqualFold(f[2], "tcp"), name: f[4], port: f[5]}
		if a, err := netip.ParseAddr(f[4]); err == nil {
			c.addr = a.WithZone("").Unmap()
		} else if strings.HasSuffix(f[4], ".local") {
			c.kind = "mdns"
		}
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b told) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

// candidateKinds has those of candidates in the order in which they are of use to a reader.
var candidateKinds = []string{"host", "srflx", "prflx", "relay", "mdns", "other"}

// kindOfCandidate is that of a candidate's type, which is a stranger's word: what is not known is told as no more than that.
func kindOfCandidate(typ string) string {
	if slices.Contains(candidateKinds, typ) {
		return typ
	}
	return "other"
}

func rank(c told) int {
	at := slices.Index(candidateKinds, c.kind)
	if c.tcp {
		at += len(candidateKinds)
	}
	return at
}

// unusable is why we can't send anything to a peer's candidate; "": we can.
func (c told) unusable(peer netip.Addr) string {
	switch {
	case c.kind == "mdns":
		return "a name that only its own network knows"
	case !c.addr.IsValid():
		return "a name, which is not looked up"
	case c.tcp:
		return "TCP, which is not dialled"
	case c.addr.IsLoopback() && !peer.IsLoopback():
		return "of its own machine alone"
	case c.addr.IsUnspecified(), c.addr.IsMulticast(), c.addr.IsLinkLocalUnicast():
		return "no address that packets can go to"
	}
	return ""
}

// shownOurs lists our own candidates with their ports, which firewalls are opened for.
func shownOurs(all []told) []string {
	return shown(all, func(c told) string { return protocolOf(c.tcp) + " " + hostPort(c) })
}

// shownTheirs lists a peer's, whose ports are of no use to anybody, and of whose mDNS names the first letters are
// enough to tell them apart (I40).
func shownTheirs(all []told, peer netip.Addr) []string {
	return shown(all, func(c told) string {
		text := c.kind + " " + shortName(c)
		if why := c.unusable(peer); why != "" {
			text += " (" + why + ")"
		}
		return text
	})
}

func shown(all []told, text func(told) string) []string {
	var texts []string
	for _, c := range all {
		if t := text(c); !slices.Contains(texts, t) && len(texts) < mostShown {
			texts = append(texts, t)
		}
	}
	return texts
}

func shortName(c told) string {
	if c.addr.IsValid() {
		return c.addr.String()
	}
	name, suffix, _ := strings.Cut(c.name, ".")
	return name[:min(6, len(name))] + "…." + suffix[:min(5, len(suffix))]
}

func hostPort(c told) string {
	if c.addr.Is6() {
		return "[" + c.addr.String() + "]:" + c.port
	}
	return c.name + ":" + c.port
}

func protocolOf(tcp bool) string {
	if tcp {
		return "tcp"
	}
	return "udp"
}
