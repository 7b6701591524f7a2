package session

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/config"
	"sluice/hub"
	"sluice/media"
	"sluice/negotiation"
	"sluice/transport"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	lan      = "1 1 udp 2130706431 192.168.1.2 8189 typ host"
	lanTCP   = "2 1 tcp 2130706430 192.168.1.2 8189 typ host tcptype passive"
	public   = "3 1 udp 2130706429 203.0.113.7 8189 typ host"
	six      = "4 1 udp 2130706428 2001:db8::7 8189 typ host"
	loopback = "5 1 udp 2130706427 127.0.0.1 8189 typ host"

	mdns  = "1 1 udp 2113937151 4f1a2b3c-0d5e-4f6a-8b7c-9d0e1f2a3b4c.local 51234 typ host generation 0"
	srflx = "2 1 udp 1677729535 198.51.100.9 40000 typ srflx raddr 10.0.0.9 rport 40000"
	relay = "3 1 udp 33562623 198.51.100.50 50000 typ relay raddr 0.0.0.0 rport 0"
	far   = "4 1 udp 2113937151 10.0.0.9 51234 typ host"
)

// verdictRows are what can be known of a session, each with what is to be found. Where nothing else is said a viewer from
// elsewhere has waited for ten seconds.
var verdictRows = []struct {
	name   string
	change func(f *facts)
	want   Cause
}{
	{"it has only begun", func(f *facts) { f.lasted, f.over = time.Second, false }, ""},
	{"nothing came", func(*facts) {}, CauseNothingArrived},
	{"nothing came, to private addresses", func(f *facts) { f.ours = candidatesOf([]string{lan, lanTCP}) }, CauseNothingArrived},
	{"nothing came, from the same network", func(f *facts) { f.remote = netip.MustParseAddr("192.168.1.9") }, CauseNothingArrived},
	{"nothing came, over TCP neither", func(f *facts) { f.reach = Reach{TCP: true} }, CauseNothingArrived},
	{"nothing came, though all is on", func(f *facts) { f.reach = Reach{TCP: true, TURN: true} }, CauseNothingArrived},
	{"nothing came, nor was it answered", func(f *facts) { f.seen.Checks.Sent = 40 }, CauseNothingArrived},
	{"nothing came, and it told nothing", func(f *facts) { f.theirs = nil }, CauseNothingArrived},
	{"nothing was told", func(f *facts) { f.ours = nil }, CauseNothingAnnounced},
	{"loopback alone was told", func(f *facts) { f.ours = candidatesOf([]string{loopback}) }, CauseLoopbackOnly},
	{"loopback alone was told, to this machine", func(f *facts) {
		f.ours, f.remote = candidatesOf([]string{loopback}), netip.MustParseAddr("127.0.0.1")
	}, CauseNothingArrived},
	{"nothing came, to any address, from this machine", func(f *facts) { f.remote = netip.MustParseAddr("::1") }, CauseNothingArrived},
	{"it has names alone", func(f *facts) { f.theirs = candidatesOf([]string{mdns}) }, CauseNoCandidates},
	{"it has relays alone", func(f *facts) { f.theirs = candidatesOf([]string{relay}) }, CauseRelay},
	{"its checks were answered in vain", func(f *facts) { f.seen.Checks = transport.Checks{Received: 30, Answered: 30} }, CauseNotAnswered},
	{"it could not be answered", func(f *facts) {
		f.seen.Checks, f.seen.Fault = transport.Checks{Received: 30}, &transport.SendError{Reason: transport.Forbidden}
	}, CauseNotAnswered},
	{"some of it could not be answered", func(f *facts) {
		f.seen.Checks, f.seen.Fault = transport.Checks{Received: 30, Wrong: 2, Answered: 20}, &transport.SendError{Reason: transport.Full}
	}, CauseNotAnswered},
	{"its checks were answered in vain, after a fault", func(f *facts) {
		f.seen.Checks, f.seen.Fault = transport.Checks{Received: 30, Wrong: 2, Answered: 28}, &transport.SendError{Reason: transport.Full}
	}, CauseNotAnswered},
	{"its checks had another password", func(f *facts) { f.seen.Checks = transport.Checks{Received: 30, Wrong: 30} }, CauseCredentials},
	{"few of its checks had another password", func(f *facts) {
		f.seen.Checks = transport.Checks{Received: 30, Wrong: 2, Answered: 28}
	}, CauseNotAnswered},
	{"another certificate", failedHandshake(transport.HandshakeCertificate), CauseHandshake},
	{"no profile", failedHandshake(transport.HandshakeProfile), CauseHandshake},
	{"the handshake was refused", func(f *facts) {
		failedHandshake(transport.HandshakeRefused)(f)
		f.seen.Handshake.Alert = 48
	}, CauseHandshake},
	{"the handshake failed otherwise", failedHandshake(transport.HandshakeOther), CauseHandshake},
	{"the handshake was swallowed", func(f *facts) {
		f.seen.Path, f.seen.Handshake = true, transport.Handshake{Came: true, Sent: true}
	}, CauseHandshake},
	{"no handshake came", func(f *facts) { f.seen.Path = true }, CauseHandshake},
	{"no handshake came in time", func(f *facts) {
		f.seen.Path, f.seen.Handshake = true, transport.Handshake{Failure: transport.HandshakeTimeout}
	}, CauseHandshake},
	{"it fails at once", func(f *facts) {
		failedHandshake(transport.HandshakeCertificate)(f)
		f.lasted, f.why = time.Second, &transport.HandshakeError{Failure: transport.HandshakeCertificate}
	}, CauseHandshake},
	{"it left without waiting", func(f *facts) { f.lasted, f.why = time.Second, ErrDeleted }, ""},
	{"it left after a while", func(f *facts) { f.why = ErrDeleted }, CauseNothingArrived},
	{"it left as is right", func(f *facts) {
		playing(f)
		f.over, f.why = true, transport.ErrPeerLeft
	}, ""},
	{"it plays", playing, ""},
	{"the source is away", func(f *facts) {
		playing(f)
		f.source, f.away = false, "dial tcp 192.0.2.10:554: connection refused"
	}, CauseNoMedia},
	{"there is no source", func(f *facts) {
		playing(f)
		f.source = false
	}, CauseNoMedia},
	{"there is no keyframe", func(f *facts) {
		playing(f)
		f.sent = 0
	}, CauseNoMedia},
	{"media do not arrive", func(f *facts) {
		playing(f)
		f.seen.Heard = false
	}, CauseNoMedia},
	{"a publisher is silent", func(f *facts) {
		playing(f)
		f.role = RolePublish
	}, CauseNoMedia},
	{"a publisher sends what is not wanted", func(f *facts) {
		playing(f)
		f.role, f.unread = RolePublish, 900
	}, CauseNoMedia},
	{"a publisher publishes", func(f *facts) {
		playing(f)
		f.role, f.received = RolePublish, 900
	}, ""},
	{"it floods", endedBy(&transport.FloodError{}), CauseFlood},
	{"it fell silent", endedBy(&transport.UnreachableError{WasConnected: true}), CauseConsent},
	{"the source has gone", endedBy(ErrSourceGone), CauseSourceGone},
	{"the stream was removed", endedBy(ErrStreamRemoved), CauseSourceGone},
	{"the stream is removed", endedBy(hub.ErrClosed), CauseSourceGone},
	{"the source has changed", endedBy(&SourceChangedError{Err: errors.New("it sends H.265 now")}), CauseSourceChanged},
	{"another took over", endedBy(ErrReplaced), CauseRefused},
	{"it lost the permission", endedBy(ErrRevoked), CauseRefused},
	{"a shutdown", endedBy(errShutdown()), CauseRefused},
	{"our own fault", endedBy(errors.New("write the packet: no key")), CauseInternal},
	{"a counter-offer was not answered", func(f *facts) { f.agreed, f.why = false, ErrOfferExpired }, CauseUnanswered},
	{"a counter-offer waits", func(f *facts) { f.agreed, f.over = false, false }, ""},
}

func failedHandshake(why transport.HandshakeFailure) func(f *facts) {
	return func(f *facts) {
		f.seen.Path, f.seen.Handshake = true, transport.Handshake{Came: true, Sent: true, Failure: why}
	}
}

func playing(f *facts) {
	f.over, f.connected, f.state, f.why, f.sent = false, true, StateConnected, nil, 5000
	f.seen = transport.Evidence{Path: true, Heard: true, Handshake: transport.Handshake{Came: true, Sent: true, Done: true}}
}

func endedBy(why error) func(f *facts) {
	return func(f *facts) {
		playing(f)
		f.over, f.state, f.why = true, StateClosed, why
	}
}

func factsOf(change func(f *facts)) facts {
	f := facts{
		role: RolePlay, state: StateClosed, over: true, agreed: true, lasted: 10 * time.Second, why: &transport.UnreachableError{},
		remote: netip.MustParseAddr("198.51.100.9"), ours: candidatesOf([]string{public, lan, six}),
		theirs: candidatesOf([]string{mdns, srflx, far}), source: true, now: time.Unix(1e9, 0),
		choices: []negotiation.Choice{{Kind: media.Video, Reason: "H.264 passes as it is."}},
	}
	change(&f)
	return f
}

// What each row comes to, to the word: the goldens are what an operator reads.
func TestJudge(t *testing.T) {
	var text strings.Builder
	seen := map[Cause]bool{}
	for _, c := range verdictRows {
		v := judge(factsOf(c.change))
		seen[v.Reason] = true
		if v.Reason != c.want {
			t.Errorf("%s: %q, want %q", c.name, v.Reason, c.want)
		}
		if (v.Reason == "") != (v.Sentence == "") {
			t.Errorf("%s: the reason %q has the sentence %q", c.name, v.Reason, v.Sentence)
		}
		fmt.Fprintf(&text, "%s\n", c.name)
		for _, line := range []string{strings.TrimSpace(string(v.Reason) + " " + v.Detail), v.Sentence, v.Advice} {
			if line != "" {
				fmt.Fprintf(&text, "  %s\n", line)
			}
		}
	}
	for _, c := range []Cause{
		CauseNothingAnnounced, CauseLoopbackOnly, CauseNothingArrived, CauseNoCandidates, CauseRelay, CauseNotAnswered, CauseCredentials,
		CauseHandshake, CauseNoMedia, CauseFlood, CauseConsent, CauseSourceGone, CauseSourceChanged, CauseUnanswered, CauseRefused, CauseInternal,
	} {
		if !seen[c] {
			t.Errorf("no row has the cause %q", c)
		}
	}
	golden(t, "verdicts.txt", text.String())
}

// What is advised can be pasted into a configuration as it stands, but for the secret.
func TestAdviceIsConfiguration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "verdicts.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(text); regexp.MustCompile(`(?m)\[(webrtc|turn|http)\]`).MatchString(text) {
		t.Error("a table is advised: it would swallow what stands below the place to which it is copied")
	}
	const open = "auth.mode = \"internal\"\nauth.users = [{ name = \"anonymous\", allow = [{ actions = [\"play\"], streams = [\"*\"] }] }]\n"
	assignment := regexp.MustCompile(`[a-z][a-z._]* = (?:"[^"]*"|\[[^\]]*\])`)
	keys := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		lines := assignment.FindAllString(line, -1)
		once := slices.Compact(slices.Sorted(slices.Values(lines)))
		for _, l := range once {
			key, _, _ := strings.Cut(l, " ")
			keys[key] = true
		}
		all := strings.ReplaceAll(strings.Join(once, "\n"), "SECRET", "0123456789abcdef")
		if _, _, err := config.Parse([]byte(all+"\n"+open), "config.toml", nil); err != nil {
			t.Errorf("%s\n%v", line, err)
		}
	}
	for _, key := range []string{
		"webrtc.interfaces", "webrtc.additional_hosts", "webrtc.listen_udp", "webrtc.listen_tcp", "turn.mode", "turn.secret", "http.trusted_proxies",
	} {
		if !keys[key] {
			t.Errorf("%s is advised nowhere", key)
		}
	}
}

// I40: whoever has a session's URL may ask for its verdict, and learns of no address, no configuration and nothing of the
// source from it.
func TestVerdictForThePeer(t *testing.T) {
	for _, c := range verdictRows {
		v := judge(factsOf(c.change))
		told := v.ForPeer()
		if (told.Sentence == "") != (v.Reason == "") || told.Reason != v.Reason || told.Detail != v.Detail || told.State != v.State {
			t.Errorf("%s: %+v of %+v", c.name, told, v)
		}
		text, err := json.Marshal(told)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`\d+\.\d+\.\d+|::|8189|webrtc\.|turn\.|http\.|dial|no key|H\.265`).Find(text); found != nil {
			t.Errorf("%s: the peer is told %q in %s", c.name, found, text)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s differs (%v); rewritten by -update, it is:\n%s", path, err, got)
	}
}

// I40: of the peer's candidates no more is told than an operator needs: of a name the first letters, and no port.
func TestCandidatesAreShortened(t *testing.T) {
	f := factsOf(func(*facts) {})
	want := []string{"host 10.0.0.9", "srflx 198.51.100.9", "mdns 4f1a2b….local (a name that only its own network knows)"}
	if got := judge(f).Theirs; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	many := make([]string, 0, 100)
	for i := range 100 {
		many = append(many, fmt.Sprintf("1 1 udp 1 10.0.1.%d 9000 typ host", i))
	}
	f.theirs = candidatesOf(append(many, many...))
	if n := len(judge(f).Theirs); n != mostShown {
		t.Errorf("%d candidates are shown", n)
	}
}

// What a peer says of a candidate beyond what is known is not repeated.
func TestCandidatesOfNoKnownType(t *testing.T) {
	long := strings.Repeat("x", 50_000)
	all := candidatesOf([]string{
		"1 1 udp 1 198.51.100.9 1 typ " + long, "1 1 tcp 1 198.51.100.10 1 typ host", "1 1 udp 1 fe80::1%" + long + " 1 typ host", mdns,
	})
	want := []string{
		"host fe80::1 (no address that packets can go to)", "mdns 4f1a2b….local (a name that only its own network knows)",
		"other 198.51.100.9", "host 198.51.100.10 (TCP, which is not dialled)",
	}
	if got := shownTheirs(all, netip.Addr{}); !slices.Equal(got, want) {
		t.Errorf("%.300q, want %q", got, want)
	}
}

// Candidates are a stranger's: nothing of them but what is understood is told.
func FuzzCandidates(f *testing.F) {
	for _, v := range []string{lan, lanTCP, six, mdns, srflx, relay, "", "1 1 udp 1 a.local 1 typ host", "1 1 udp 1 x 1 typ"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value string) {
		all := candidatesOf([]string{value, value})
		if len(all) > 1 {
			t.Errorf("one candidate is %d", len(all))
		}
		for _, text := range append(shownOurs(all), shownTheirs(all, netip.Addr{})...) {
			if strings.ContainsAny(text, "\r\n") {
				t.Errorf("%q", text)
			}
		}
		for _, text := range shownTheirs(all, netip.Addr{}) {
			if len(text) > 200 {
				t.Errorf("%d bytes of a candidate are told", len(text))
			}
		}
	})
}
