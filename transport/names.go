package transport

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// resolveTimeout bounds the start of a gateway whose name server does not answer.
	resolveTimeout = 2 * time.Second
	// refreshInterval is how often a name is asked for again: the addresses of a dynamic DNS change at any time.
	refreshInterval = 30 * time.Second
	// firstRetry is when a name is asked for again that could not be resolved; it doubles up to refreshInterval.
	firstRetry = time.Second
)

// names are hosts whose addresses are looked up again and again. Whoever asks for them gets those known now.
type names struct {
	key    string                                                       // fixed: of the configuration, for the log
	hosts  []string                                                     // fixed
	lookup func(ctx context.Context, host string) ([]netip.Addr, error) // fixed
	log    *slog.Logger                                                 // fixed

	mu    sync.Mutex
	known []knownHost // guarded by mu; one for each of hosts
}

// knownHost is what is known of a host.
type knownHost struct {
	addrs   []netip.Addr // in order; of the last answer that there was
	failing bool         // the last look-up has brought nothing
}

// newNames knows the addresses among the hosts at once, and the others after the first look-up.
func newNames(key string, hosts []string, log *slog.Logger) *names {
	n := &names{key: key, hosts: hosts, lookup: lookupHost, log: log, known: make([]knownHost, len(hosts))}
	for i, host := range hosts {
		if a, err := netip.ParseAddr(host); err == nil {
			n.known[i].addrs = usable([]netip.Addr{a})
		}
	}
	return n
}

func lookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// usable are addresses that an SDP can carry and that another machine may reach, each once and in order: name servers
// turn theirs around from answer to answer.
func usable(all []netip.Addr) []netip.Addr {
	kept := make([]netip.Addr, 0, len(all))
	for _, a := range all {
		if a = a.Unmap(); a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() {
			kept = append(kept, a)
		}
	}
	slices.SortFunc(kept, netip.Addr.Compare)
	return slices.Compact(kept)
}

// addresses are those of all hosts that are known now, each once.
func (n *names) addresses() []netip.Addr {
	var all []netip.Addr
	for i := range n.hosts {
		for _, a := range n.of(i) {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// of are the addresses of one host, which must not be changed.
func (n *names) of(i int) []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[i].addrs
}

// resolve asks for all names once, side by side.
func (n *names) resolve(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, i := range n.unresolved() {
		all.Go(func() { n.ask(ctx, i) })
	}
}

// unresolved are the hosts that are names.
func (n *names) unresolved() []int {
	var all []int
	for i, host := range n.hosts {
		if _, err := netip.ParseAddr(host); err != nil {
			all = append(all, i)
		}
	}
	return all
}

// run asks for all names from time to time until ctx is done. A name that fails keeps no other waiting.
func (n *names) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, i := range n.unresolved() {
		all.Go(func() { n.follow(ctx, i) })
	}
}

func (n *names) follow(ctx context.Context, i int) {
	retry := firstRetry
	for {
		wait := refreshInterval
		if n.isFailing(i) {
			wait, retry = retry, min(2*retry, refreshInterval)
		} else {
			retry = firstRetry
		}
		if pause(ctx, wait); ctx.Err() != nil {
			return
		}
		n.ask(ctx, i)
	}
}

func (n *names) isFailing(i int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[i].failing
}

// ask looks a name up. The last good answer stays when there is none.
func (n *names) ask(ctx context.Context, i int) {
	bounded, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	found, err := n.lookup(bounded, n.hosts[i])
	if ctx.Err() != nil {
		return
	}
	fresh := knownHost{addrs: usable(found), failing: err != nil || len(usable(found)) == 0}
	n.mu.Lock()
	old := n.known[i]
	if fresh.failing {
		fresh.addrs = old.addrs
	}
	n.known[i] = fresh
	n.mu.Unlock()
	n.tell(n.hosts[i], old, fresh, err)
}

// tell says what has changed, once.
func (n *names) tell(host string, old, fresh knownHost, err error) {
	switch changed := !slices.Equal(old.addrs, fresh.addrs); {
	case fresh.failing && !old.failing && len(fresh.addrs) > 0:
		n.log.Warn("a name can't be resolved any more: its last addresses stay in use", "key", n.key, "host", host, "addresses", fresh.addrs, "err", err)
	case fresh.failing && !old.failing:
		n.log.Warn("a name can't be resolved: it is tried again, and left out until then", "key", n.key, "host", host, "err", err)
	case !fresh.failing && changed && len(old.addrs) > 0:
		n.log.Info("the addresses of a name have changed", "key", n.key, "host", host, "addresses", fresh.addrs, "before", old.addrs)
	case !fresh.failing && old.failing:
		n.log.Info("a name is resolved again", "key", n.key, "host", host, "addresses", fresh.addrs)
	}
}
