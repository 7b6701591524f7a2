package whep

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
)

// mapped is what the STUN server takes everybody's address for.
const mapped = "198.51.100.7"

// stunServer answers binding requests (RFC 8489) until the test ends. It returns its address.
func stunServer(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if n >= 20 {
				_, _ = conn.WriteToUDPAddrPort(bindingSuccess(buf[:20]), from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// bindingSuccess answers a request by its header with one XOR-MAPPED-ADDRESS (RFC 8489 14.2).
func bindingSuccess(request []byte) []byte {
	const cookie, port = 0x2112a442, 40000
	m := binary.BigEndian.AppendUint16(nil, 0x0101)
	m = binary.BigEndian.AppendUint16(m, 12)
	m = append(m, request[4:20]...)
	m = binary.BigEndian.AppendUint16(m, 0x0020)
	m = binary.BigEndian.AppendUint16(m, 8)
	m = append(m, 0, 1)
	m = binary.BigEndian.AppendUint16(m, port^cookie>>16)
	address := netip.MustParseAddr(mapped).As4()
	return binary.BigEndian.AppendUint32(m, binary.BigEndian.Uint32(address[:])^cookie)
}
