package e2e

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// asker speaks to a TURN server over UDP by hand.
type asker struct {
	t            testing.TB
	conn         net.Conn
	server       iceServer
	realm, nonce string
}

func newAsker(t testing.TB, s iceServer) *asker {
	t.Helper()
	address, _, _ := strings.Cut(strings.TrimPrefix(s.URLs[0], "turn:"), "?")
	conn, err := net.Dial("udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	a := &asker{t: t, conn: conn, server: s}
	a.challenge()
	return a
}

// challenge asks for an allocation without credentials, and wants to be asked for some.
func (a *asker) challenge() {
	a.t.Helper()
	m := a.exchange(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), overUDP))
	var realm stun.Realm
	var nonce stun.Nonce
	if codeOf(m) != 401 || realm.GetFrom(m) != nil || nonce.GetFrom(m) != nil {
		a.t.Fatalf("an allocation without credentials is answered with %v, want 401 with realm and nonce", m)
	}
	a.realm, a.nonce = realm.String(), nonce.String()
}

// ask makes a request with credentials and returns the code of its error, 0 for a success, -1 for silence.
func (a *asker) ask(method stun.Method, attributes ...stun.Setter) int {
	a.t.Helper()
	all := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	all = append(all, stun.NewUsername(a.server.Username), stun.NewRealm(a.realm), stun.NewNonce(a.nonce),
		stun.NewLongTermIntegrity(a.server.Username, a.realm, a.server.Credential), stun.Fingerprint)
	return codeOf(a.exchange(stun.MustBuild(all...)))
}

// allocate asks for a relay.
func (a *asker) allocate() int {
	a.t.Helper()
	return a.ask(stun.MethodAllocate, overUDP)
}

// permit asks for a permission.
func (a *asker) permit(peer string) int {
	a.t.Helper()
	return a.ask(stun.MethodCreatePermission, peerAttribute(netip.MustParseAddrPort(peer)))
}

// bind asks for a channel.
func (a *asker) bind(peer string) int {
	a.t.Helper()
	return a.ask(stun.MethodChannelBind, stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{0x40, 0, 0, 0}}, peerAttribute(netip.MustParseAddrPort(peer)))
}

// sendTo sends data through the relay.
func (a *asker) sendTo(peer string, data []byte) {
	a.t.Helper()
	m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerAttribute(netip.MustParseAddrPort(peer)), stun.RawAttribute{Type: stun.AttrData, Value: data})
	if _, err := a.conn.Write(m.Raw); err != nil {
		a.t.Fatal(err)
	}
}

// relayed is the next data that comes through the relay; nil if none comes in time.
func (a *asker) relayed(within time.Duration) []byte {
	for end := time.Now().Add(within); time.Now().Before(end); {
		m := a.receive(time.Until(end))
		if m != nil && m.Type == stun.NewType(stun.MethodData, stun.ClassIndication) {
			data, _ := m.Get(stun.AttrData) // nil without
			return data
		}
	}
	return nil
}

// exchange sends a request until it is answered.
func (a *asker) exchange(m *stun.Message) *stun.Message {
	a.t.Helper()
	for range 40 {
		if _, err := a.conn.Write(m.Raw); err != nil {
			a.t.Fatal(err)
		}
		for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
			if answer := a.receive(time.Until(end)); answer != nil && answer.TransactionID == m.TransactionID {
				return answer
			}
		}
	}
	return nil
}

func (a *asker) receive(within time.Duration) *stun.Message {
	_ = a.conn.SetReadDeadline(time.Now().Add(within))
	buf := make([]byte, 2000)
	n, err := a.conn.Read(buf)
	if err != nil {
		return nil
	}
	m := &stun.Message{Raw: buf[:n]}
	if m.Decode() != nil {
		return nil
	}
	return m
}

// codeOf is that of an error response, 0 for a success, -1 for no answer.
func codeOf(m *stun.Message) int {
	var e stun.ErrorCodeAttribute
	switch {
	case m == nil:
		return -1
	case m.Type.Class == stun.ClassSuccessResponse:
		return 0
	case e.GetFrom(m) != nil:
		return -1
	}
	return int(e.Code)
}

// overUDP and overTCP are the transport between a relay and its peers.
var (
	overUDP = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	overTCP = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{6, 0, 0, 0}}
)

// peerAttribute is XOR-PEER-ADDRESS.
type peerAttribute netip.AddrPort

func (p peerAttribute) AddTo(m *stun.Message) error {
	peer := netip.AddrPort(p)
	a := stun.XORMappedAddress{IP: peer.Addr().AsSlice(), Port: int(peer.Port())}
	return a.AddToAs(m, stun.AttrXORPeerAddress)
}
