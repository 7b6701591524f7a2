package turn

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
)

// Options say what a Server listens on, who may use it and how far a relay reaches.
type Options struct {
	ListenUDP string      // host:port; "" for none, as with the other two
	ListenTCP string      // host:port
	ListenTLS string      // host:port; wants TLS
	TLS       *tls.Config // certificates; the version and the protocols are set here

	Realm  string // at most 127 bytes; "": sluice. One of more than 8 makes a 401 longer than twice the request
	Secret string // 16 bytes or more; shared with who mints

	RelayAddress     netip.Addr // announced; invalid: the address that the client reached
	PortMin, PortMax uint16     // of the relays, inclusive; 0: the kernel chooses

	Media      func() Media   // this gateway's own media ports, asked anew for every permission; may be nil
	AllowPeers []netip.Prefix // what relays may reach besides

	// The quotas are of allocations at one time; more than 1<<24 is as good as no limit, and counts as that many.
	UserQuota  int // of one id; 0: 4
	TotalQuota int // in all; 0: 1000
	PerIP      int // of one source address but loopback; 0: 100. It may have twice as many connections

	MaxBPS      int // bytes/s of one allocation, each way; 0: no cap
	BPSCapacity int // bytes/s of all allocations, each way; 0: no cap

	Log *slog.Logger // nil: silent
}

// Media are the addresses of this gateway's own media ports: all that a relay reaches unless AllowPeers says more.
type Media struct {
	// Local are bound on this machine, or reachable from it as they stand.
	Local []netip.AddrPort
	// Announced leads from what viewers know (a public candidate) to the local address where datagrams go instead;
	// answers come back as from the public one.
	Announced map[netip.AddrPort]netip.AddrPort
}

const (
	minSecret = 16
	maxRealm  = 127
	// maxQuota leaves room for sums in 32 bits.
	maxQuota = 1 << 24
)

// check returns what makes the options unusable, and fills in the defaults.
func (o *Options) check() error {
	o.Realm = cmp.Or(o.Realm, "sluice")
	o.UserQuota = min(maxQuota, cmp.Or(o.UserQuota, 4))
	o.TotalQuota = min(maxQuota, cmp.Or(o.TotalQuota, 1000))
	o.PerIP = min(maxQuota, cmp.Or(o.PerIP, 100))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Media == nil {
		o.Media = func() Media { return Media{} }
	}
	switch {
	case len(o.Secret) < minSecret:
		return fmt.Errorf("the TURN secret has %d bytes; it must have %d or more", len(o.Secret), minSecret)
	case len(o.Realm) > maxRealm:
		return fmt.Errorf("the TURN realm has %d bytes; it may have %d", len(o.Realm), maxRealm)
	case o.PortMin > o.PortMax:
		return fmt.Errorf("the relay ports %d-%d run backwards", o.PortMin, o.PortMax)
	case o.ListenTLS != "" && o.TLS == nil:
		return errors.New("TURN over TLS wants a certificate")
	}
	return nil
}
