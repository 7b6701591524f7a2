package turn

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// J96, G3: whatever is wrong with credentials, the answer is a 401 that says how to do better.
func TestCredentialsAreRefused(t *testing.T) {
	s := serve(t, nil)
	now := time.Now()
	name := func(ahead time.Duration, id string) string {
		username, _ := Mint(secret, id, ahead, now)
		return username
	}
	cases := []struct{ name, username, credential string }{
		{"expired", name(-time.Minute, "x"), ""},
		{"ten years ahead", name(10*365*24*time.Hour, "x"), ""},
		{"more than a day ahead", name(24*time.Hour+5*time.Minute, "x"), ""},
		{"no expiry", "abc", ""},
		{"huge expiry", "99999999999999999999:x", ""},
		{"negative expiry", "-1:x", ""},
		{"float", "1e9:x", ""},
		{"NUL", name(time.Hour, "x\x00"), ""},
		{"no id", name(time.Hour, ""), ""},
		{"long id", name(time.Hour, strings.Repeat("x", 400)), ""},
		{"wrong password", name(time.Hour, "x"), "wrong"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.credential == "" {
				c.credential = password(secret, c.username)
			}
			a := newAsker(t, s, c.username, c.credential)
			answer := a.send(a.request(stun.MethodAllocate, transport(protoUDP)))
			if code := errorOf(answer); code != 401 {
				t.Errorf("error %d", code)
			}
			nonceOf(t, answer)
			if s.Stats().Allocations != 0 {
				t.Error("there is an allocation")
			}
		})
	}
	if n := s.Stats().Refused[Unauthorized]; n != uint64(len(cases)) {
		t.Errorf("%d counted", n)
	}
}

// J96, G5: without credentials, with half of them, with an old nonce.
func TestChallenge(t *testing.T) {
	s := serve(t, nil)
	a := mintedAsker(t, s, "x")
	full := a.request(stun.MethodAllocate, transport(protoUDP))
	cases := []struct {
		name string
		p    []byte
		code int
	}{
		{"nothing", bare(stun.MethodAllocate, transport(protoUDP)), 401},
		{"nothing for a refresh", bare(stun.MethodRefresh), 401},
		{"no nonce", bare(stun.MethodAllocate, stun.NewUsername("x"), stun.NewRealm("sluice"), a.key), 400},
		{"no user name", bare(stun.MethodAllocate, stun.NewNonce(a.nonce), stun.NewRealm("sluice"), a.key), 400},
		{"other realm", bare(stun.MethodAllocate, stun.NewUsername(a.username), stun.NewNonce(a.nonce), stun.NewRealm("other"), a.key), 401},
		{"other nonce", bare(stun.MethodAllocate, stun.NewUsername(a.username), stun.NewNonce("AAAAAAAAAAAA"), stun.NewRealm("sluice"), a.key), 438},
		{"all of it", full, 0},
	}
	for _, c := range cases {
		if code := errorOf(a.send(c.p)); code != c.code {
			t.Errorf("%s: error %d, want %d", c.name, code, c.code)
		}
	}
}

// G11: nobody is worth more than twice what he sends, before we know that he gets our answers.
func TestAnswersAreShort(t *testing.T) {
	s := serve(t, nil)
	cases := []struct {
		name string
		p    []byte
	}{
		{"shortest binding", bare(stun.MethodBinding)},
		{"shortest allocate", bare(stun.MethodAllocate, transport(protoUDP))},
		{"unknown attribute", bare(stun.MethodBinding, attribute(stun.AttrChangeRequest))},
		{"half of the credentials", bare(stun.MethodAllocate, stun.MessageIntegrity("x"))},
		{"stale nonce", bare(stun.MethodAllocate, stun.NewUsername("x"), stun.NewRealm("x"), stun.NewNonce("x"), stun.MessageIntegrity("x"))},
	}
	a := newAsker(t, s, "", "")
	for _, c := range cases {
		answer := a.send(c.p)
		if answer == nil {
			t.Errorf("%s: no answer", c.name)
			continue
		}
		if len(answer.Raw) > 2*len(c.p) {
			t.Errorf("%s: %d bytes for %d", c.name, len(answer.Raw), len(c.p))
		}
		if answer.Contains(stun.AttrSoftware) {
			t.Errorf("%s: it says what it runs", c.name)
		}
	}
}

// G11: an address that asks too often gets silence, for Binding requests and for challenges.
func TestSourcesAreLimited(t *testing.T) {
	now := time.Now()
	s := newSources(50, 250)
	here := udpPort(1).Addr()
	allowed := 0
	for range 1000 {
		if s.allow(here, now) {
			allowed++
		}
	}
	if allowed != 250 {
		t.Errorf("%d allowed at once", allowed)
	}
	there, others := here, 0
	for range 100 {
		if there = there.Next(); s.allow(there, now) {
			others++
		}
	}
	if others < 90 { // one in 4096 shares its place
		t.Errorf("%d of 100 others allowed", others)
	}
	if !s.allow(here, now.Add(time.Second)) {
		t.Error("later it may ask again")
	}
}

// G11: a flood through us stays within the limit, also if requests of false addresses are strewn in.
func TestSourcesAreLimitedAmongOthers(t *testing.T) {
	const perSec, burst, seconds = 50, 250, 10
	s := newSources(perSec, burst)
	victim, other := udpPort(1).Addr(), netip.MustParseAddr("10.0.0.0")
	now, allowed := time.Now(), 0
	for range 20_000 * seconds {
		now = now.Add(time.Second / 20_000)
		if s.allow(victim, now) {
			allowed++
		}
		other = other.Next()
		s.allow(other, now)
	}
	if allowed > burst+perSec*seconds+1 {
		t.Errorf("%d answers in %d s", allowed, seconds)
	}
}

func TestBindingFloodIsLimited(t *testing.T) {
	s := serve(t, nil)
	conn, err := net.Dial("udp", s.Addrs().UDP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	question := bare(stun.MethodBinding)
	waitFor(t, func() bool {
		for range bindingsAtOnce / 4 { // a socket's buffer need not hold more
			if _, err := conn.Write(question); err != nil {
				t.Fatal(err)
			}
		}
		return s.Stats().Refused[SourceRate] > 0
	})
}

// J90: garbage gets no answer, and what comes after it does.
func TestGarbageIsDropped(t *testing.T) {
	s := serve(t, nil)
	a := mintedAsker(t, s, "x")
	binding, allocate := bare(stun.MethodBinding), bare(stun.MethodAllocate, transport(protoUDP))
	marked := bare(stun.MethodBinding, stun.Fingerprint)
	cases := []struct {
		name string
		p    []byte
	}{
		{"one byte", []byte{0}},
		{"19 bytes", binding[:19]},
		{"bad magic", changed(binding, 4, 0)},
		{"length 65535", changed(changed(binding, 2, 0xFF), 3, 0xFF)},
		{"length that is no multiple of four", changed(append(slices.Clone(binding), 0), 3, 1)},
		{"attribute overrun", changed(allocate, 23, 200)},
		{"attribute overrun in a binding", append(changed(binding, 3, 4), 0, 6, 0, 200)},
		{"wrong fingerprint", changed(marked, 27, ^marked[27])},
		{"answer to nothing", changed(binding, 0, 1)},
		{"unknown method", changed(binding, 1, 0xFF)},
		{"data indication", changed(binding, 1, typeData)},
		{"send indication without an allocation", changed(binding, 1, typeSend)},
		{"channel data without an allocation", []byte{0x40, 0, 0, 4, 1, 2, 3, 4}},
		{"channel data that lies", []byte{0x40, 0, 0xFF, 0xFF, 1, 2, 3, 4}},
		{"RTP", []byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n")},
	}
	for _, c := range cases {
		if _, err := a.conn.Write(c.p); err != nil {
			t.Fatal(err)
		}
	}
	answer := a.send(binding)
	if answer == nil || !bytes.Equal(answer.TransactionID[:], binding[8:20]) || answer.Type != stun.BindingSuccess {
		t.Errorf("got %v; something before was answered", answer)
	}
	if n := s.Stats().Refused[Garbage]; n != uint64(len(cases)) {
		t.Errorf("%d of %d counted", n, len(cases))
	}
}

func changed(p []byte, at int, to byte) []byte {
	p = slices.Clone(p)
	p[at] = to
	return p
}

// J97: none of these is a peer, for permissions and channels.
func TestForbiddenPeers(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, func(o *Options) { o.UserQuota = 16 }, media)
	admin := "127.0.0.1:1"
	four := []string{"127.0.0.2:80", admin, "0.0.0.0:80", "169.254.169.254:80", "10.0.0.1:80", "224.0.0.1:80", "255.255.255.255:80", "[::ffff:127.0.0.2]:80"}
	a := mintedAsker(t, s, "four").allocated()
	for _, p := range four {
		if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer(p)))); code != 403 {
			t.Errorf("permission for %s: %d", p, code)
		}
		if code := errorOf(a.send(a.request(stun.MethodChannelBind, channelNumber(0x4000), peer(p)))); code != 403 {
			t.Errorf("channel to %s: %d", p, code)
		}
		if code := errorOf(a.send(a.request(stun.MethodConnect, peer(p)))); code != 403 {
			t.Errorf("connection to %s: %d", p, code)
		}
	}
	both := a.request(stun.MethodCreatePermission, peer(media.String()), peer(admin))
	if code := errorOf(a.send(both)); code != 403 {
		t.Errorf("a forbidden peer behind a good one: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer(media.String())))); code != 0 {
		t.Errorf("a media port: %d", code)
	}
	if n := s.Stats().Refused[Peer]; n != uint64(2*len(four)+1) {
		t.Errorf("%d counted", n)
	}
}

// J97 for IPv6.
func TestForbiddenPeersOverIPv6(t *testing.T) {
	media := echo(t, "udp6", "[::1]:0")
	s := serve(t, func(o *Options) { o.ListenUDP = "[::1]:0" }, media)
	a := mintedAsker(t, s, "six").allocated()
	for _, p := range []string{"[::1]:80", "[::]:80", "[fe80::1]:80", "[fd00::1]:80", "[64:ff9b::7f00:1]:80"} {
		if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer(p)))); code != 403 {
			t.Errorf("permission for %s: %d", p, code)
		}
	}
}

func channelNumber(n uint16) stun.RawAttribute {
	return attribute(stun.AttrChannelNumber, binary.BigEndian.AppendUint16(nil, n)[0], byte(n), 0, 0)
}

// J98, G6: the fifth allocation of an id is refused, and another id has its own.
func TestUserQuota(t *testing.T) {
	s := serve(t, nil)
	for range 4 {
		mintedAsker(t, s, "one").allocated()
	}
	fifth := mintedAsker(t, s, "one")
	if code := errorOf(fifth.send(fifth.request(stun.MethodAllocate, transport(protoUDP)))); code != 486 {
		t.Errorf("error %d", code)
	}
	mintedAsker(t, s, "other").allocated()
	if n := s.Stats().Refused[UserQuota]; n != 1 {
		t.Errorf("%d counted", n)
	}
}

// G6: the quota in all.
func TestTotalQuota(t *testing.T) {
	s := serve(t, func(o *Options) { o.TotalQuota = 2 })
	mintedAsker(t, s, "a").allocated()
	second := mintedAsker(t, s, "b").allocated()
	third := mintedAsker(t, s, "c")
	ask := third.request(stun.MethodAllocate, transport(protoUDP))
	if code := errorOf(third.send(ask)); code != 486 || s.Stats().Refused[TotalQuota] != 1 {
		t.Errorf("error %d", code)
	}
	second.send(second.request(stun.MethodRefresh, attribute(stun.AttrLifetime, 0, 0, 0, 0)))
	third.allocated()
}

// J99, G9: a TCP relay is refused and opens no socket.
func TestTCPRelaysAreOff(t *testing.T) {
	s := serve(t, nil)
	a := mintedAsker(t, s, "x")
	if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(6)))); code != 442 {
		t.Errorf("error %d", code)
	}
	if s.Stats().Allocations != 0 || s.quota.now() != 0 {
		t.Error("something is held")
	}
}

// J100, G11: what has no permission and what has no channel is dropped.
func TestNothingWithoutPermission(t *testing.T) {
	media := listenUDP(t, udpPort1())
	s := serve(t, nil, addrPort(media.LocalAddr()))
	a := mintedAsker(t, s, "x").allocated()
	indication := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peer(media.LocalAddr().String()), attribute(stun.AttrData, 'n', 'o')).Raw
	for _, p := range [][]byte{indication, {0x40, 0, 0, 2, 'n', 'o'}} {
		if _, err := a.conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	a.send(a.request(stun.MethodChannelBind, channelNumber(0x4001), peer(media.LocalAddr().String())))
	if _, err := a.conn.Write([]byte{0x40, 1, 0, 3, 'y', 'e', 's'}); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	_ = media.SetReadDeadline(time.Now().Add(patientTest))
	if n, _, err := media.ReadFrom(buf); err != nil || string(buf[:n]) != "yes" {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// J104: no lifetime is longer than an hour; ours is ten minutes at most.
func TestLifetimeIsCapped(t *testing.T) {
	s := serve(t, nil)
	a := mintedAsker(t, s, "x").allocated()
	for _, asked := range []uint32{1<<32 - 1, 3600, 3599, 601} {
		m := a.send(a.request(stun.MethodRefresh, attribute(stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, asked)...)))
		got, err := m.Get(stun.AttrLifetime)
		if err != nil || binary.BigEndian.Uint32(got) != 600 {
			t.Errorf("%d: %v, %v", asked, got, err)
		}
	}
}

// G10: families that there is no relay address for, and peers of the other family.
func TestAddressFamilies(t *testing.T) {
	s := serve(t, nil, udpPort(1))
	a := mintedAsker(t, s, "x")
	family := func(f byte) stun.RawAttribute { return attribute(stun.AttrRequestedAddressFamily, f, 0, 0, 0) }
	for _, f := range []byte{2, 3, 0} {
		if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(protoUDP), family(f)))); code != 440 {
			t.Errorf("family %d: %d", f, code)
		}
	}
	if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(protoUDP), family(1)))); code != 0 {
		t.Errorf("IPv4: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer("[2001:db8::1]:1")))); code != 443 {
		t.Errorf("IPv6 peer: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodRefresh, family(2)))); code != 443 {
		t.Errorf("refresh as IPv6: %d", code)
	}
}

// G4: a revoked id keeps what it has until it would have to be refreshed, and gets nothing new; it may end what it has.
func TestRevoke(t *testing.T) {
	media := echo(t, "udp4", "127.0.0.1:0")
	s := serve(t, nil, media)
	a := mintedAsker(t, s, "x").allocated()
	s.Revoke("x", time.Now().Add(time.Hour))
	if code := errorOf(a.send(a.request(stun.MethodRefresh))); code != 401 {
		t.Errorf("refresh: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer(media.String())))); code != 0 {
		t.Errorf("permission: %d", code)
	}
	other := mintedAsker(t, s, "x")
	if code := errorOf(other.send(other.request(stun.MethodAllocate, transport(protoUDP)))); code != 401 {
		t.Errorf("allocation: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodRefresh, attribute(stun.AttrLifetime, 0, 0, 0, 0)))); code != 0 {
		t.Errorf("end: %d", code)
	}
	waitFor(t, func() bool { return s.Stats().Allocations == 0 })
}

// What is asked for an allocation that is not there, or is another's, is answered, not dropped.
func TestAllocationMismatch(t *testing.T) {
	s := serve(t, nil, udpPort(1))
	a := mintedAsker(t, s, "x")
	if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer("192.0.2.1:1")))); code != 437 {
		t.Errorf("without an allocation: %d", code)
	}
	a.allocated()
	if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(protoUDP)))); code != 437 {
		t.Errorf("a second one: %d", code)
	}
	username, credential := Mint(secret, "y", time.Hour, time.Now())
	a.username, a.key = username, longTermKey(username, "sluice", credential)
	if code := errorOf(a.send(a.request(stun.MethodRefresh))); code != 441 {
		t.Errorf("by another: %d", code)
	}
}

// G11: EVEN-PORT is granted with a token for the next port, which serves once that port is free; a made up token
// gets 508, both at once 400.
func TestEvenPort(t *testing.T) {
	// Below the ports that the system gives to whoever asks for any: nobody else takes the next one meanwhile.
	s := serve(t, func(o *Options) { o.PortMin, o.PortMax = 20000, 30000 })
	a := mintedAsker(t, s, "x")
	m := a.send(a.request(stun.MethodAllocate, transport(protoUDP), attribute(stun.AttrEvenPort, 0x80)))
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(m, stun.AttrXORRelayedAddress); err != nil || relayed.Port%2 != 0 {
		t.Errorf("port %d, %v", relayed.Port, err)
	}
	token, err := m.Get(stun.AttrReservationToken)
	if err != nil {
		t.Fatal(err)
	}
	b := mintedAsker(t, s, "x")
	m = b.send(b.request(stun.MethodAllocate, transport(protoUDP), attribute(stun.AttrReservationToken, token...)))
	var next stun.XORMappedAddress
	if err := next.GetFromAs(m, stun.AttrXORRelayedAddress); err != nil || next.Port != relayed.Port+1 {
		t.Errorf("port %d, %v", next.Port, err)
	}
	c := mintedAsker(t, s, "x")
	made := attribute(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8)
	if code := errorOf(c.send(c.request(stun.MethodAllocate, transport(protoUDP), made))); code != 508 {
		t.Errorf("made up: %d", code)
	}
	if code := errorOf(c.send(c.request(stun.MethodAllocate, transport(protoUDP), made, attribute(stun.AttrEvenPort, 0)))); code != 400 {
		t.Errorf("both: %d", code)
	}
	waitFor(t, func() bool { return s.quota.now() == 2 })
}

// G4: a credential may expire under an allocation, which then gets permissions for ten minutes more and no refresh.
func TestCredentialExpiresUnderAnAllocation(t *testing.T) {
	s := serve(t, nil)
	expires := time.Unix(1700000000, 0)
	username, credential := Mint(secret, "x", 0, expires)
	key := stun.MessageIntegrity(longTermKey(username, "sluice", credential))
	cases := []struct {
		name   string
		method stun.Method
		at     time.Duration // after the expiry
		ok     bool
	}{
		{"allocate before", stun.MethodAllocate, -time.Second, true},
		{"allocate after", stun.MethodAllocate, time.Second, false},
		{"refresh after", stun.MethodRefresh, time.Second, false},
		{"permission after", stun.MethodCreatePermission, time.Second, true},
		{"channel after", stun.MethodChannelBind, maxLifetime, true},
		{"permission much after", stun.MethodCreatePermission, maxLifetime + time.Second, false},
		{"permission a day before", stun.MethodCreatePermission, -24 * time.Hour, true},
		{"permission long before", stun.MethodCreatePermission, -25 * time.Hour, false},
	}
	for _, c := range cases {
		m := &stun.Message{Raw: bare(c.method, stun.NewUsername(username), key)}
		if err := m.Decode(); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.verify(m, username, expires.Add(c.at)); ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
		}
	}
}

// J103: nobody reaches another's relay by one of his own, and each hears only the ports that he asked for.
func TestRelaysDoNotReachRelays(t *testing.T) {
	media, other := echo(t, "udp4", "127.0.0.1:0"), listenUDP(t, udpPort1())
	s := serve(t, nil, media, addrPort(other.LocalAddr()))
	victim := udpViewer(t, s, "victim")
	if err := victim.exchange(media, "hello"); err != nil {
		t.Fatal(err)
	}
	a := mintedAsker(t, s, "attacker").allocated()
	at := victim.relay.LocalAddr().String()
	if code := errorOf(a.send(a.request(stun.MethodCreatePermission, peer(at)))); code != 403 {
		t.Errorf("permission for the relay: %d", code)
	}
	if code := errorOf(a.send(a.request(stun.MethodChannelBind, channelNumber(0x4000), peer(at)))); code != 403 {
		t.Errorf("channel to the relay: %d", code)
	}
	if _, err := a.conn.Write([]byte{0x40, 0, 0, 4, 'e', 'v', 'i', 'l'}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return s.Stats().Refused[Garbage] == 1 })
	if err := victim.exchange(media, "still mine"); err != nil {
		t.Error(err)
	}
}
