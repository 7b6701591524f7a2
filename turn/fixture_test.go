package turn

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

const secret = "a shared secret of 28 bytes!"

// patientTest is how long a test waits for what has to come.
const patientTest = 30 * time.Second

// serve runs a server on loopback, of which relays reach peers only, until the test ends.
func serve(t testing.TB, change func(*Options), peers ...netip.AddrPort) *Server {
	t.Helper()
	o := Options{
		ListenUDP: "127.0.0.1:0", ListenTCP: "127.0.0.1:0", Secret: secret,
		Media: func() Media { return Media{Local: peers} },
	}
	if change != nil {
		change(&o)
	}
	s, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
	waitFor(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.running })
	return s
}

func waitFor(t testing.TB, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patientTest); !condition(); {
		if time.Now().After(end) {
			t.Fatalf("it did not happen within %v", patientTest)
		}
		time.Sleep(time.Millisecond) // until the next look
	}
}

// echo is a peer that sends back what it gets, and answers Binding requests.
func echo(t testing.TB, network, address string) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenPacket(network, address)
	if err != nil && netip.MustParseAddrPort(address).Addr().Is6() { // not every machine has it
		t.Skipf("no %s on %s: %v", network, address, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			out := buf[:n]
			if isSTUN(out) {
				out = appendBindingAnswer(nil, out, addrPort(from))
			}
			_, _ = conn.WriteTo(out, from)
		}
	}()
	return addrPort(conn.LocalAddr())
}

// viewer is pion's client.
type viewer struct {
	*pion.Client
	relay net.PacketConn
}

func newViewer(t testing.TB, conn net.PacketConn, server netip.AddrPort, username, credential string) *viewer {
	t.Helper()
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: server.String(), TURNServerAddr: server.String(), Conn: conn,
		Username: username, Password: credential, RTO: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); conn.Close() })
	return &viewer{Client: c}
}

// udpViewer has an allocation for the id.
func udpViewer(t testing.TB, s *Server, id string) *viewer {
	t.Helper()
	username, credential := Mint(secret, id, time.Hour, time.Now())
	v := newViewer(t, listenUDP(t, s.Addrs().UDP), s.Addrs().UDP, username, credential)
	v.allocate(t)
	return v
}

func (v *viewer) allocate(t testing.TB) {
	t.Helper()
	relay, err := v.Allocate()
	if err != nil {
		t.Fatalf("allocate: %v", err)
	}
	v.relay = relay
	t.Cleanup(func() { relay.Close() })
}

// listenUDP opens a socket of the family of the address that it will talk to.
func listenUDP(t testing.TB, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", udpAddr(netip.AddrPortFrom(to.Addr(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// exchange sends text to peer until it comes back from there.
func (v *viewer) exchange(peer netip.AddrPort, text string) error {
	buf := make([]byte, 2000)
	for end := time.Now().Add(patientTest); time.Now().Before(end); {
		if _, err := v.relay.WriteTo([]byte(text), udpAddr(peer)); err != nil {
			return err
		}
		if err := v.relay.SetReadDeadline(time.Now().Add(250 * time.Millisecond)); err != nil {
			return err
		}
		n, from, err := v.relay.ReadFrom(buf)
		if err == nil && string(buf[:n]) == text && addrPort(from) == peer {
			return nil
		}
	}
	return errors.New("nothing came back")
}

// asker speaks STUN by hand.
type asker struct {
	t        testing.TB
	conn     net.Conn
	nonce    string
	username string
	key      stun.MessageIntegrity
}

func newAsker(t testing.TB, s *Server, username, credential string) *asker {
	t.Helper()
	conn, err := net.Dial("udp", s.Addrs().UDP.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &asker{t: t, conn: conn, username: username, key: longTermKey(username, "sluice", credential)}
}

// mintedAsker has credentials for the id.
func mintedAsker(t testing.TB, s *Server, id string) *asker {
	username, credential := Mint(secret, id, time.Hour, time.Now())
	return newAsker(t, s, username, credential)
}

// send returns the answer, nil if none comes in time.
func (a *asker) send(p []byte) *stun.Message {
	a.t.Helper()
	if _, err := a.conn.Write(p); err != nil {
		a.t.Fatal(err)
	}
	return a.receive()
}

func (a *asker) receive() *stun.Message {
	a.t.Helper()
	buf := make([]byte, 2000)
	_ = a.conn.SetReadDeadline(time.Now().Add(patientTest))
	n, err := a.conn.Read(buf)
	if err != nil {
		return nil
	}
	m := &stun.Message{Raw: buf[:n]}
	if err := m.Decode(); err != nil {
		a.t.Fatal(err)
	}
	return m
}

// bare is a request without credentials.
func bare(method stun.Method, attributes ...stun.Setter) []byte {
	m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)...)
	return m.Raw
}

// request is one with credentials; the nonce is asked for first.
func (a *asker) request(method stun.Method, attributes ...stun.Setter) []byte {
	a.t.Helper()
	if a.nonce == "" {
		a.nonce = nonceOf(a.t, a.send(bare(stun.MethodAllocate, transport(protoUDP))))
	}
	return bare(method, append(attributes, stun.NewUsername(a.username), stun.NewRealm("sluice"), stun.NewNonce(a.nonce), a.key)...)
}

func nonceOf(t testing.TB, m *stun.Message) string {
	t.Helper()
	if m == nil {
		t.Fatal("no answer")
	}
	nonce, err := m.Get(stun.AttrNonce)
	if err != nil {
		t.Fatal(err)
	}
	return string(nonce)
}

// allocated has an allocation.
func (a *asker) allocated() *asker {
	a.t.Helper()
	if code := errorOf(a.send(a.request(stun.MethodAllocate, transport(protoUDP)))); code != 0 {
		a.t.Fatalf("no allocation: error %d", code)
	}
	return a
}

// noAnswer stands for silence among error codes.
const noAnswer = -1

// errorOf is 0 for a success.
func errorOf(m *stun.Message) int {
	if m == nil {
		return noAnswer
	}
	if m.Type.Class == stun.ClassSuccessResponse {
		return 0
	}
	var e stun.ErrorCodeAttribute
	if err := e.GetFrom(m); err != nil {
		return noAnswer
	}
	return int(e.Code)
}

func transport(protocol byte) stun.RawAttribute {
	return attribute(stun.AttrRequestedTransport, protocol, 0, 0, 0)
}

func attribute(kind stun.AttrType, value ...byte) stun.RawAttribute {
	return stun.RawAttribute{Type: kind, Value: value}
}

// peerAttribute is XOR-PEER-ADDRESS.
type peerAttribute struct{ addr *net.UDPAddr }

func (p peerAttribute) AddTo(m *stun.Message) error {
	a := stun.XORMappedAddress{IP: p.addr.IP, Port: p.addr.Port}
	return a.AddToAs(m, stun.AttrXORPeerAddress)
}

func peer(a string) peerAttribute {
	return peerAttribute{net.UDPAddrFromAddrPort(netip.MustParseAddrPort(a))}
}
