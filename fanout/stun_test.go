package fanout

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// known are credentials that recorded checks were made with.
var known = credentials{
	ufrag: "OURSOURSOURS", pwd: "ourpasswordourpasswordourp",
	remoteUfrag: "theirs+/", remotePwd: "theirpasswordtheirpassword",
}

var (
	fromV4 = netip.MustParseAddrPort("198.51.100.7:40000")
	fromV6 = netip.MustParseAddrPort("[2001:db8::7]:40001")
)

// shape is a message to be made.
type shape struct {
	kind          stun.MessageType
	username, pwd string
	attributes    []stun.RawAttribute // between USERNAME and MESSAGE-INTEGRITY
	after         []stun.RawAttribute // between MESSAGE-INTEGRITY and FINGERPRINT
	noIntegrity   bool
	noFingerprint bool
}

// browser is a check as Chromium makes it.
func browser() shape {
	return shape{
		kind: stun.BindingRequest, username: known.ufrag + ":" + known.remoteUfrag, pwd: known.pwd,
		attributes: []stun.RawAttribute{
			{Type: 0xC057, Value: []byte{0, 1, 0, 10}}, // GOOG-NETWORK-INFO
			{Type: stun.AttrICEControlling, Value: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
			{Type: stun.AttrPriority, Value: []byte{0x6E, 0, 0x1E, 0xFF}},
		},
	}
}

func (s shape) with(kind stun.AttrType, value ...byte) shape {
	s.attributes = append(slices.Clone(s.attributes), stun.RawAttribute{Type: kind, Value: value})
	return s
}

func (s shape) build(t testing.TB) []byte {
	t.Helper()
	m := stun.New()
	m.Type, m.TransactionID = s.kind, [12]byte{'t', 'r', 'a', 'n', 's', 'a', 'c', 't', 'i', 'o', 'n', '1'}
	m.WriteHeader()
	if s.username != "" {
		m.Add(stun.AttrUsername, []byte(s.username))
	}
	for _, a := range s.attributes {
		m.Add(a.Type, a.Value)
	}
	if !s.noIntegrity {
		if err := stun.NewShortTermIntegrity(s.pwd).AddTo(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range s.after {
		m.Add(a.Type, a.Value)
	}
	if !s.noFingerprint {
		if err := stun.Fingerprint.AddTo(m); err != nil {
			t.Fatal(err)
		}
	}
	return m.Raw
}

// parseReply checks what every answer has, and returns it.
func parseReply(t testing.TB, reply []byte) *stun.Message {
	t.Helper()
	m := &stun.Message{Raw: slices.Clone(reply)}
	if err := m.Decode(); err != nil {
		t.Fatalf("the answer is no STUN: %v", err)
	}
	if err := stun.NewShortTermIntegrity(known.pwd).Check(m); err != nil {
		t.Errorf("the answer's integrity: %v", err)
	}
	if err := stun.Fingerprint.Check(m); err != nil {
		t.Errorf("the answer's fingerprint: %v", err)
	}
	if string(m.TransactionID[:]) != "transaction1" {
		t.Errorf("the answer is to transaction %q", m.TransactionID)
	}
	return m
}

func TestChecksThatPass(t *testing.T) {
	lite := browser()
	lite.attributes = nil
	behind := browser()
	behind.after = []stun.RawAttribute{{Type: stun.AttrUseCandidate}, {Type: 0x7FFF}}
	for name, c := range map[string]struct {
		shape     shape
		from      netip.AddrPort
		nominated bool
	}{
		"as Chromium makes it":                   {browser(), fromV4, false},
		"over IPv6":                              {browser(), fromV6, false},
		"over IPv4 in an IPv6 socket":            {browser(), netip.AddrPortFrom(netip.MustParseAddr("::ffff:198.51.100.7"), 40000), false},
		"nominating":                             {browser().with(stun.AttrUseCandidate), fromV4, true},
		"no PRIORITY, no ICE-CONTROLLING":        {lite, fromV4, false}, // J94
		"nominating behind the integrity":        {behind, fromV4, false},
		"an unknown attribute that is optional":  {browser().with(0x8FFF, 1, 2, 3), fromV4, false},
		"REALM, which means nothing in a check":  {browser().with(stun.AttrRealm, 'r'), fromV4, false},
		"a second USERNAME, which doesn't count": {browser().with(stun.AttrUsername, 'x', ':', 'y'), fromV4, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := newResponder().answer(c.shape.build(t), c.from, &known)
			if !got.OK || got.Nominated != c.nominated {
				t.Fatalf("the check gave %+v", got)
			}
			m := parseReply(t, got.Reply)
			var mapped stun.XORMappedAddress
			if err := mapped.GetFrom(m); err != nil || m.Type != stun.BindingSuccess {
				t.Fatalf("the answer is %v: %v", m, err)
			}
			if want := c.from.Addr().Unmap().String(); mapped.IP.String() != want || mapped.Port != int(c.from.Port()) {
				t.Errorf("the answer says %v, not %v", mapped, c.from)
			}
		})
	}
}

// J90, J92: nothing is said to who doesn't know the password.
func TestChecksThatAreDropped(t *testing.T) {
	set := func(change func(s *shape)) []byte {
		s := browser()
		change(&s)
		return s.build(t)
	}
	raw := func(change func(data []byte) []byte) []byte { return change(browser().build(t)) }
	for name, data := range map[string][]byte{
		"nothing":          {},
		"a first byte":     {0},
		"a header cut off": raw(func(d []byte) []byte { return d[:19] }),
		"bad magic":        raw(func(d []byte) []byte { d[4] ^= 1; return d }),
		"length 65535":     raw(func(d []byte) []byte { d[2], d[3] = 0xFF, 0xFF; return d }),
		"length 0":         raw(func(d []byte) []byte { d[2], d[3] = 0, 0; return d }),
		"length + 1":       raw(func(d []byte) []byte { d[3]++; return d }),
		"a byte too many":  raw(func(d []byte) []byte { return append(d, 0) }),
		"attribute overruns": raw(func(d []byte) []byte {
			binary.BigEndian.PutUint16(d[22:], 0xFFFF)
			return d
		}),
		"last attribute overruns": raw(func(d []byte) []byte { d[len(d)-5] = 8; return d }),
		"half an attribute header": raw(func(d []byte) []byte {
			binary.BigEndian.PutUint16(d[2:], uint16(len(d)-18))
			return append(d, 0, 0)
		}),
		"no attributes":            {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
		"wrong password":           set(func(s *shape) { s.pwd = "otherpasswordotherpassword" }),
		"empty password":           set(func(s *shape) { s.pwd = "" }),
		"the viewer's password":    set(func(s *shape) { s.pwd = known.remotePwd }),
		"no integrity":             set(func(s *shape) { s.noIntegrity = true }),
		"no fingerprint":           set(func(s *shape) { s.noFingerprint = true }),
		"nothing proved":           set(func(s *shape) { s.noFingerprint, s.noIntegrity = true, true }),
		"wrong fingerprint":        raw(func(d []byte) []byte { d[len(d)-1] ^= 1; return d }),
		"a bit of it turned":       refit(t, raw(func(d []byte) []byte { d[54] ^= 1; return d })),
		"no username":              set(func(s *shape) { s.username = "" }),
		"our name alone":           set(func(s *shape) { s.username = known.ufrag }),
		"names the wrong way":      set(func(s *shape) { s.username = known.remoteUfrag + ":" + known.ufrag }),
		"another viewer's name":    set(func(s *shape) { s.username = known.ufrag + ":another" }),
		"a longer name":            set(func(s *shape) { s.username += "x" }),
		"a name with NUL":          set(func(s *shape) { s.username += "\x00" }),
		"two colons":               set(func(s *shape) { s.username = known.ufrag + "::" + known.remoteUfrag }),
		"an indication":            set(func(s *shape) { s.kind = stun.NewType(stun.MethodBinding, stun.ClassIndication) }),
		"a success response":       set(func(s *shape) { s.kind = stun.BindingSuccess }),
		"an error response":        set(func(s *shape) { s.kind = stun.BindingError }),
		"an Allocate":              set(func(s *shape) { s.kind = stun.NewType(stun.MethodAllocate, stun.ClassRequest) }),
		"a fingerprint in between": set(func(s *shape) { s.after = []stun.RawAttribute{{Type: stun.AttrFingerprint, Value: make([]byte, 4)}} }),
		"an integrity of 4 bytes": set(func(s *shape) {
			s.attributes = []stun.RawAttribute{{Type: stun.AttrMessageIntegrity, Value: make([]byte, 4)}}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if got := newResponder().answer(data, fromV4, &known); got.OK || got.Nominated || got.Reply != nil {
				t.Errorf("the check gave %+v", got)
			}
		})
	}
}

// refit gives a message that was changed its fingerprint again, so that the integrity alone is wrong.
func refit(t testing.TB, data []byte) []byte {
	t.Helper()
	at := len(data) - fingerprintSize
	binary.BigEndian.PutUint32(data[at:], stun.FingerprintValue(data[:at-4]))
	return data
}

func TestChecksThatAreRefused(t *testing.T) {
	role := browser()
	role.attributes = []stun.RawAttribute{{Type: stun.AttrICEControlled, Value: make([]byte, 8)}}
	many := browser()
	for i := range 20 {
		many = many.with(stun.AttrType(0x7000 + i))
	}
	for name, c := range map[string]struct {
		shape   shape
		code    stun.ErrorCode
		unknown int
	}{
		"the viewer is controlled as well": {role, stun.CodeRoleConflict, 0},                          // J93
		"an unknown attribute":             {browser().with(0x7FFF, 1), stun.CodeUnknownAttribute, 1}, // RFC 8489 6.3.1
		"twenty of them":                   {many, stun.CodeUnknownAttribute, maxUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			got := newResponder().answer(c.shape.build(t), fromV4, &known)
			if got.OK || got.Nominated {
				t.Fatalf("the check gave %+v", got)
			}
			m := parseReply(t, got.Reply)
			var code stun.ErrorCodeAttribute
			if err := code.GetFrom(m); err != nil || m.Type != stun.BindingError || code.Code != c.code {
				t.Errorf("the answer is %v with %v: %v", m.Type, code, err)
			}
			if list, _ := m.Attributes.Get(stun.AttrUnknownAttributes); int(list.Length) != 2*c.unknown {
				t.Errorf("the answer names %d bytes of attributes", list.Length)
			}
		})
	}
}

func TestLocalUfrag(t *testing.T) {
	s := browser()
	for name, c := range map[string]struct {
		username, want string
	}{
		"both names": {"ours:theirs", "ours"}, "no colon": {"ours", ""}, "empty": {":theirs", ""},
		"two colons": {"ours:their:s", "ours"}, "no USERNAME": {"", ""},
	} {
		s.username = c.username
		got, ok := localUfrag(s.build(t))
		if string(got) != c.want && ok || ok != (c.want != "") {
			t.Errorf("%s: the ufrag is %q, %v", name, got, ok)
		}
	}
	s.kind = stun.BindingSuccess
	if _, ok := localUfrag(s.build(t)); ok {
		t.Error("a response has a ufrag")
	}
	if _, ok := localUfrag(browser().build(t)[:21]); ok {
		t.Error("a message without attributes has a ufrag")
	}
}

func TestNewCredentials(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		c := newCredentials("u", "p")
		if len(c.ufrag) < 8 || len(c.pwd) < 24 || seen[c.ufrag] || seen[c.pwd] || c.remoteUfrag != "u" || c.remotePwd != "p" {
			t.Fatalf("the credentials are %+v", c)
		}
		for _, r := range c.ufrag + c.pwd {
			if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", r) {
				t.Fatalf("%q is no ice-char of base 32", r)
			}
		}
		seen[c.ufrag], seen[c.pwd] = true, true
	}
}

// J91, J92: checks cost no allocation, whether they pass or not.
func TestAllocationsOfChecks(t *testing.T) {
	r, s, mangled, broken := newResponder(), browser(), browser().build(t), browser().build(t)
	s.username = known.ufrag + ":another"
	mangled[54] ^= 1
	broken[len(broken)-1] ^= 1
	for name, data := range map[string][]byte{
		"wrong name": s.build(t), "wrong fingerprint": broken, "wrong integrity": refit(t, mangled), "right": browser().build(t),
	} {
		if n := testing.AllocsPerRun(100, func() { r.answer(data, fromV4, &known) }); n > 0 && !racing {
			t.Errorf("%s: %v allocations", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { localUfrag(data) }); n > 0 {
			t.Errorf("%s: %v allocations to find the session", name, n)
		}
	}
}

// recordedChecks are Binding requests of real agents, made with the known credentials.
func recordedChecks(t testing.TB) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/checks.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if list[name], err = hex.DecodeString(digits); err != nil || len(list[name]) == 0 {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	return list
}

func TestRecordedChecks(t *testing.T) {
	for name, data := range recordedChecks(t) {
		got := newResponder().answer(data, fromV4, &known)
		if !got.OK || got.Nominated != strings.Contains(name, "nominating") {
			t.Errorf("%s: the check gave %+v", name, got)
		}
	}
}

// An agent of pion connects to a responder and nominates it.
func TestAgentConnects(t *testing.T) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	nominated := make(chan bool, 1)
	go func() {
		defer close(nominated)
		r, buf, done := newResponder(), make([]byte, 1500), false
		for {
			n, from, err := socket.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			got := r.answer(buf[:n], from, &known)
			_, _ = socket.WriteToUDPAddrPort(got.Reply, from)
			if got.Nominated && !done {
				done = true
				nominated <- true
			}
		}
	}()
	agent, err := ice.NewAgentWithOptions(
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4}), ice.WithIncludeLoopback(),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}), ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithIPFilter(net.IP.IsLoopback), ice.WithLocalCredentials(known.remoteUfrag, known.remotePwd),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err = dial(shortly(t), agent, socket.LocalAddr().(*net.UDPAddr).Port); err != nil {
		t.Errorf("the agent doesn't connect: %v", err)
	}
	if !<-nominated {
		t.Error("the agent nominates nothing")
	}
	_ = agent.Close()
	_ = socket.Close()
	<-nominated
}

func dial(ctx context.Context, agent *ice.Agent, port int) error {
	if err := agent.OnCandidate(func(ice.Candidate) {}); err != nil {
		return err
	}
	if err := agent.GatherCandidates(); err != nil {
		return err
	}
	ours, err := ice.NewCandidateHost(&ice.CandidateHostConfig{Network: "udp", Address: "127.0.0.1", Port: port, Component: 1})
	if err != nil {
		return err
	}
	if err = agent.AddRemoteCandidate(ours); err != nil {
		return err
	}
	_, err = agent.Dial(ctx, known.ufrag, known.pwd)
	return err
}

// J90 to J94: whatever comes, an answer goes only to who knows the password.
func FuzzCheck(f *testing.F) {
	for _, data := range recordedChecks(f) {
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	s := browser()
	f.Add(s.build(f))
	f.Add(s.with(0x7FFF, 1, 2, 3).with(stun.AttrUseCandidate).build(f))
	s.noFingerprint = true
	f.Add(s.build(f))
	s.username = ":"
	f.Add(s.build(f))
	r := newResponder()
	f.Fuzz(func(t *testing.T, data []byte) {
		name, found := localUfrag(data)
		if found && (!isSTUN(data) || len(name) == 0) {
			t.Errorf("what is no check is for %q", name)
		}
		got := r.answer(data, fromV4, &known)
		if got.Reply == nil {
			if got.OK || got.Nominated {
				t.Errorf("a check that gets no answer gave %+v", got)
			}
			return
		}
		m := &stun.Message{Raw: slices.Clone(data)}
		if m.Decode() != nil || stun.NewShortTermIntegrity(known.pwd).Check(m) != nil || stun.Fingerprint.Check(m) != nil {
			t.Errorf("a check that nobody proved gave %+v", got)
		}
		if string(name) != known.ufrag {
			t.Errorf("a check of %q is answered for %q", name, known.ufrag)
		}
	})
}
