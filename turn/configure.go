package turn

import "net/netip"

// terms are the options that can change while a Server runs, as far as they have no better place.
type terms struct {
	secret     string
	allowPeers []netip.Prefix
	maxBPS     int
}

// Configure has the secret, the peers, the quotas and the caps of other options hold from now on. Allocations that are
// there stay, but for a refresh with credentials of another secret; a cap of one allocation holds for new ones. The
// other options need another Server. The error is that of Listen, and changes nothing.
func (s *Server) Configure(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	s.set(o)
	return nil
}

// set takes options that have been checked.
func (s *Server) set(o Options) {
	s.terms.Store(&terms{secret: o.Secret, allowPeers: o.AllowPeers, maxBPS: o.MaxBPS})
	s.quota.set(o.UserQuota, o.PerIP, o.TotalQuota)
	s.places.set(maxConnections(o), connectionsPerIP(o), maxConnections(o))
	s.up.limit(o.BPSCapacity)
	s.down.limit(o.BPSCapacity)
	s.renewPolicy()
}
