package turn

import (
	"net/netip"
	"sync"
)

// quota counts what is held, by id, by source and in all. Loopback is no source of its own: a proxy on this machine
// stands for any number of clients.
type quota struct {
	mu sync.Mutex

	perID, perIP, total int
	held                int
	ids                 map[string]int
	ips                 map[netip.Addr]int
}

func newQuota(perID, perIP, total int) *quota {
	return &quota{perID: perID, perIP: perIP, total: total, ids: map[string]int{}, ips: map[netip.Addr]int{}}
}

// set has other limits hold for what is taken from now on.
func (q *quota) set(perID, perIP, total int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.perID, q.perIP, q.total = perID, perIP, total
}

// slot is one place within a quota, until it is released.
type slot struct {
	of   *quota
	id   string
	ip   netip.Addr
	once sync.Once
}

// take returns a slot, or why there is none.
func (q *quota) take(id string, source netip.Addr) (*slot, Reason) {
	ip := household(source)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.held >= q.total:
		return nil, TotalQuota
	case q.ids[id] >= q.perID:
		return nil, UserQuota
	case q.ips[ip] >= q.perIP:
		return nil, AddressQuota
	}
	q.held++
	q.ids[id]++
	if !ip.IsLoopback() {
		q.ips[ip]++
	}
	return &slot{of: q, id: id, ip: ip}, ""
}

// release may be called twice, and on nil.
func (s *slot) release() {
	if s == nil {
		return
	}
	s.once.Do(func() {
		s.of.mu.Lock()
		defer s.of.mu.Unlock()
		s.of.held--
		lower(s.of.ids, s.id)
		if !s.ip.IsLoopback() {
			lower(s.of.ips, s.ip)
		}
	})
}

func lower[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

func (q *quota) now() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// household is what one customer of an access provider holds: an IPv4 address, or an IPv6 /64. Loopback is itself.
func household(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() || ip.IsLoopback() {
		return ip
	}
	net64, _ := ip.Prefix(64)
	return net64.Addr()
}
