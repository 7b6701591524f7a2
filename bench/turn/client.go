//go:build linux

package main

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v4"

	"sluice/turn"
)

// client is a viewer with an allocation: as little as loads a server.
type client struct {
	conn     *net.UDPConn
	username string
	key      stun.MessageIntegrity
	nonce    []byte
	realm    []byte
}

// allocate opens a socket, on the nth address of loopback, and gets an allocation for it.
func allocate(server netip.AddrPort, n int) (*client, error) {
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: source(n)}, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	username, credential := turn.Mint(secret, "bench", time.Hour, time.Now())
	c := &client{conn: conn, username: username, key: stun.NewLongTermIntegrity(username, "sluice", credential)}
	if err := c.allocate(); err != nil {
		_ = conn.Close() // the first error says it all
		return nil, err
	}
	return c, nil
}

func (c *client) allocate() error {
	udp := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	challenge, err := c.ask(stun.MethodAllocate, udp)
	if err != nil {
		return err
	}
	if c.nonce, err = challenge.Get(stun.AttrNonce); err != nil {
		return err
	}
	if c.realm, err = challenge.Get(stun.AttrRealm); err != nil {
		return err
	}
	return c.want(stun.MethodAllocate, udp)
}

// source is the nth address of loopback, so that no limit for one address is met.
func source(n int) net.IP { return net.IPv4(127, 0, 2+byte(n/250), 1+byte(n%250)) }

// bind binds the channel to a peer.
func (c *client) bind(channel uint16, peer netip.AddrPort) error {
	return c.want(stun.MethodChannelBind,
		stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{byte(channel >> 8), byte(channel), 0, 0}}, xorPeer(peer))
}

// release ends the allocation.
func (c *client) release() error {
	defer c.conn.Close()
	return c.want(stun.MethodRefresh, stun.RawAttribute{Type: stun.AttrLifetime, Value: make([]byte, 4)})
}

// want asks with credentials, for a success.
func (c *client) want(method stun.Method, attributes ...stun.Setter) error {
	attributes = append(attributes, stun.NewUsername(c.username), stun.Realm(c.realm), stun.Nonce(c.nonce), c.key)
	m, err := c.ask(method, attributes...)
	if err != nil {
		return err
	}
	if m.Type.Class != stun.ClassSuccessResponse {
		var code stun.ErrorCodeAttribute
		_ = code.GetFrom(m) // without one it is 0
		return fmt.Errorf("%v was refused with %v", method, code)
	}
	return nil
}

// ask sends until there is an answer.
func (c *client) ask(method stun.Method, attributes ...stun.Setter) (*stun.Message, error) {
	question, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)...)
	if err != nil {
		return nil, err
	}
	for range 5 {
		if _, err = c.conn.Write(question.Raw); err != nil {
			continue
		}
		var answer *stun.Message
		if answer, err = c.answer(question.TransactionID); err == nil {
			return answer, nil
		}
	}
	return nil, fmt.Errorf("%v is not answered: %w", method, err)
}

// answer reads until the answer comes, past packets that are still on their way.
func (c *client) answer(to [stun.TransactionIDSize]byte) (*stun.Message, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
		return nil, err
	}
	buf := make([]byte, 1500)
	for {
		n, err := c.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		answer := &stun.Message{Raw: buf[:n]}
		if answer.Decode() == nil && answer.TransactionID == to {
			return answer, nil
		}
	}
}

type xorPeer netip.AddrPort

// AddTo adds XOR-PEER-ADDRESS.
func (p xorPeer) AddTo(m *stun.Message) error {
	a := netip.AddrPort(p)
	address := stun.XORMappedAddress{IP: a.Addr().AsSlice(), Port: int(a.Port())}
	return address.AddToAs(m, stun.AttrXORPeerAddress)
}
