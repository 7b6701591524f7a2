package turn

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"
)

// SelfTest asks the UDP listener for its own address over this machine's interface, and looks at the addresses that
// viewers get to know. It returns a sentence for each thing that will not work or is not safe; none is well. The server
// must run.
func (s *Server) SelfTest(ctx context.Context) []string {
	return append(s.answersItself(ctx), s.Warnings()...)
}

// Warnings is the part of SelfTest that needs no running server.
func (s *Server) Warnings() (warnings []string) {
	if w := relayWarning(s.o.RelayAddress, s.Addrs().UDP.Addr(), behindNAT(), len(s.terms.Load().allowPeers) > 0); w != "" {
		warnings = append(warnings, w)
	}
	if len(s.o.Realm) > maxShortRealm {
		warnings = append(warnings, fmt.Sprintf("turn.realm = %q has more than %d bytes, so that the answer to a request "+
			"without credentials is more than twice as long: choose a shorter one", s.o.Realm, maxShortRealm))
	}
	return warnings
}

// relayWarning says what is wrong with the address that relays are announced under, "" if nothing is. A private one will
// do for peers on this machine, which is all that relays reach unless others are allowed: viewers talk to the listener.
func relayWarning(relay, listener netip.Addr, nat, others bool) string {
	public := listener.IsValid() && !listener.IsUnspecified() && !private(listener)
	switch {
	case relay.IsValid() && relay.Unmap().IsUnspecified():
		return fmt.Sprintf("turn.relay_address = %q is no address that viewers can reach; set the public address of this "+
			"machine", relay)
	case !others:
	case relay.IsValid() && private(relay) && public:
		return fmt.Sprintf("turn.relay_address = %q is private, but TURN listens on the public %v; peers on the internet "+
			"will not reach the relays", relay, listener)
	case !relay.IsValid() && listener.IsUnspecified() && nat:
		return "this machine has private addresses only and turn.relay_address is not set; peers on the internet will not " +
			"reach the relays: set it to the public address"
	}
	return ""
}

// maxShortRealm is the longest with which a 401 is no longer than twice the shortest Allocate request.
const maxShortRealm = 8

func private(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || carrierGrade.Contains(ip)
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// behindNAT says whether no interface has a public address.
func behindNAT() bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !private(ip) {
				return false
			}
		}
	}
	return true
}

// selfTestWithin is how long an answer of our own may take.
const selfTestWithin = 2 * time.Second

func (s *Server) answersItself(ctx context.Context) []string {
	at := s.Addrs().UDP
	if !at.IsValid() {
		return nil
	}
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(loopbackOf(at.Addr()), at.Port())
	}
	if err := askBinding(ctx, at); err != nil {
		return []string{fmt.Sprintf("TURN at %v does not answer this machine itself: %v", at, err)}
	}
	return nil
}

func loopbackOf(ip netip.Addr) netip.Addr {
	if ip.Is4() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv6Loopback()
}

func askBinding(ctx context.Context, at netip.AddrPort) error {
	ctx, cancel := context.WithTimeout(ctx, selfTestWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // fails only if closed
	question, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return err
	}
	if _, err = conn.Write(question.Raw); err != nil {
		return err
	}
	answer := make([]byte, maxDatagram)
	_, err = conn.Read(answer)
	return err
}
