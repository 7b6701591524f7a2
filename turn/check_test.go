package turn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// G7, G16: the check gets through over every transport and names what hinders it.
func TestCheckOverEveryTransport(t *testing.T) {
	media, c := echo(t, "udp4", "127.0.0.1:0"), certificate(t)
	s := serve(t, func(o *Options) {
		o.ListenTLS, o.TLS = "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}}
	}, media)
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	username, credential := Mint(secret, "check", time.Hour, time.Now())
	at := s.Addrs()
	for _, url := range []string{
		fmt.Sprintf("turn:%v?transport=udp", at.UDP), fmt.Sprintf("turn:%v?transport=tcp", at.TCP), fmt.Sprintf("turns:%v", at.TLS),
	} {
		result, err := Check(t.Context(), CheckOptions{
			URL: url, Username: username, Credential: credential, Peer: media, TLS: &tls.Config{RootCAs: roots},
		})
		if err != nil || result.Relayed.Addr() != at.UDP.Addr() || !result.Mapped.IsValid() || result.Took <= 0 {
			t.Errorf("%s: %+v, %v", url, result, err)
		}
	}
	waitFor(t, func() bool { n := s.Stats(); return n.Allocations == 0 && n.Connections == 0 })
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	media, silent := echo(t, "udp4", "127.0.0.1:0"), listenUDP(t, udpPort1())
	s := serve(t, func(o *Options) {
		o.ListenTLS, o.TLS = "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
		o.UserQuota = 1
	}, media, addrPort(silent.LocalAddr()))
	udpViewer(t, s, "greedy")
	at := s.Addrs()
	udp := fmt.Sprintf("turn:%v?transport=udp", at.UDP)
	cases := []struct {
		name string
		o    CheckOptions
		is   func(error) bool
		says string
	}{
		{"closed port", CheckOptions{URL: "turn:127.0.0.1:1?transport=tcp"}, is[*UnreachableError], "firewall"},
		{"other secret", CheckOptions{URL: udp, Credential: "wrong"}, is[*UnauthorizedError], "clocks"},
		{"certificate", CheckOptions{URL: fmt.Sprintf("turns:%v", at.TLS)}, is[*CertificateError], "certificate"},
		{"quota", CheckOptions{URL: udp, Username: "greedy"}, is[*QuotaError], "486"},
		{"peer", CheckOptions{URL: udp, Peer: netip.MustParseAddrPort("127.0.0.1:1")}, is[*ForbiddenError], "127.0.0.1:1"},
		{"silent peer", CheckOptions{URL: udp, Peer: addrPort(silent.LocalAddr())}, is[*NoAnswerError], "no answer"},
		{"no URL", CheckOptions{URL: "http://127.0.0.1"}, func(err error) bool { return err != nil }, "no TURN URL"},
		{"STUN", CheckOptions{URL: "stun:127.0.0.1"}, func(err error) bool { return err != nil }, "no TURN URL"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := "check"
			if c.o.Username != "" {
				id = c.o.Username
			}
			username, credential := Mint(secret, id, time.Hour, time.Now())
			c.o.Username = username
			if c.o.Credential == "" {
				c.o.Credential = credential
			}
			_, err := Check(t.Context(), c.o)
			if !c.is(err) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%T: %v", err, err)
			}
			if err != nil && strings.Contains(err.Error(), c.o.Credential) {
				t.Error("the credential is told")
			}
		})
	}
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// A check ends with its context, though a server says nothing.
func TestCheckEndsWithItsContext(t *testing.T) {
	silent := listenUDP(t, udpPort1())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := Check(ctx, CheckOptions{URL: "turn:" + silent.LocalAddr().String() + "?transport=udp"})
	if !is[*UnreachableError](err) || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// G15
func TestSelfTest(t *testing.T) {
	cases := []struct {
		name, says string
		o          Options
	}{
		{"public", "", Options{RelayAddress: netip.MustParseAddr("203.0.113.7")}},
		{"unspecified relay", "no address that viewers can reach", Options{RelayAddress: netip.IPv4Unspecified()}},
		{"long realm", "turn.realm", Options{Realm: "gateway.example.org"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, func(o *Options) { o.RelayAddress, o.Realm = c.o.RelayAddress, c.o.Realm })
			warnings := s.SelfTest(t.Context())
			if c.says == "" && len(warnings) != 0 || c.says != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], c.says)) {
				t.Errorf("%q", warnings)
			}
		})
	}
}

// G15: the addresses decide, whatever this machine has.
func TestWarnings(t *testing.T) {
	cases := []struct {
		name, relay, listener string
		nat, others           bool
		warned                bool
	}{
		{"private relay, public listener", "10.0.0.1", "198.51.100.1", false, true, true},
		{"private relay for this gateway alone", "10.0.0.1", "198.51.100.1", false, false, false},
		{"private relay, private listener", "10.0.0.1", "10.0.0.1", true, true, false},
		{"carrier-grade relay", "100.64.0.1", "198.51.100.1", false, true, true},
		{"mapped unspecified", "::ffff:0.0.0.0", "10.0.0.1", true, false, true},
		{"no relay address behind NAT", "", "0.0.0.0", true, true, true},
		{"no relay address behind NAT, for this gateway alone", "", "0.0.0.0", true, false, false},
		{"no relay address on a public machine", "", "0.0.0.0", false, true, false},
		{"no relay address, one listener", "", "10.0.0.1", true, true, false},
		{"public relay behind NAT", "203.0.113.7", "0.0.0.0", true, true, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var relay netip.Addr
			if c.relay != "" {
				relay = netip.MustParseAddr(c.relay)
			}
			if got := relayWarning(relay, netip.MustParseAddr(c.listener), c.nat, c.others); (got != "") != c.warned {
				t.Errorf("%q", got)
			}
		})
	}
}

// A server that does not answer is told of.
func TestSelfTestOfAServerThatDoesNotRun(t *testing.T) {
	s, err := Listen(t.Context(), Options{ListenUDP: "127.0.0.1:0", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if warnings := s.SelfTest(ctx); len(warnings) != 1 || !strings.Contains(warnings[0], "does not answer") {
		t.Errorf("%q", warnings)
	}
}
