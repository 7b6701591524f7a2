package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"sluice/doctor"
)

const (
	stunHeaderLen = 20
	maxSTUN       = 1500 // bytes
	stunTries     = 4
	stunWait      = time.Second // for an answer, before the question is asked again

	stunCookie = 0x2112A442 // RFC 8489 5
)

// askSTUN sends Binding requests (RFC 8489 6.3) to host:port until one is answered.
func askSTUN(ctx context.Context, host string) (doctor.RelayResult, error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "3478")
	}
	began := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", host)
	if err != nil {
		return doctor.RelayResult{}, &doctor.RelayError{Fault: doctor.RelayUnreachable, Err: err}
	}
	defer conn.Close()
	question := stunQuestion()
	for range stunTries {
		mapped, err := askOnce(conn, question)
		if err == nil {
			return doctor.RelayResult{Mapped: mapped, Took: time.Since(began)}, nil
		}
		if ctx.Err() != nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	return doctor.RelayResult{}, &doctor.RelayError{Fault: doctor.RelayUnreachable, Err: errors.New("no answer to a STUN Binding request")}
}

// askOnce is our address as the server says; the error is that it does not.
func askOnce(conn net.Conn, question []byte) (netip.AddrPort, error) {
	if _, err := conn.Write(question); err != nil {
		return netip.AddrPort{}, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(stunWait)); err != nil {
		return netip.AddrPort{}, err
	}
	for answer := make([]byte, maxSTUN); ; {
		n, err := conn.Read(answer)
		if err != nil {
			return netip.AddrPort{}, err
		}
		if mapped, ok := stunMapped(answer[:n], question); ok {
			return mapped, nil
		}
	}
}

// stunQuestion is a Binding request.
func stunQuestion() []byte {
	q := make([]byte, stunHeaderLen)
	q[1] = 1
	binary.BigEndian.PutUint32(q[4:], stunCookie)
	_, _ = rand.Read(q[8:]) // never fails

	return q
}

// stunMapped is the XOR-MAPPED-ADDRESS of a success response to a question (RFC 8489 14.2).
func stunMapped(answer, question []byte) (netip.AddrPort, bool) {
	const success, xorMapped = 0x0101, 0x0020
	if len(answer) < stunHeaderLen || binary.BigEndian.Uint16(answer) != success || string(answer[4:stunHeaderLen]) != string(question[4:]) {
		return netip.AddrPort{}, false
	}
	for rest := answer[stunHeaderLen:]; len(rest) >= 4; {
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if 4+n > len(rest) {
			break
		}
		if value := rest[4 : 4+n]; kind == xorMapped && (n == 8 || n == 20) {
			return unmasked(value, question[4:]), true
		}
		rest = rest[min(len(rest), 4+(n+3)&^3):]
	}
	return netip.AddrPort{}, false
}

// unmasked is the address in an XOR-MAPPED-ADDRESS; mask is the cookie and the transaction ID.
func unmasked(value, mask []byte) netip.AddrPort {
	port := binary.BigEndian.Uint16(value[2:]) ^ binary.BigEndian.Uint16(mask)
	b := make([]byte, len(value)-4)
	for i := range b {
		b[i] = value[4+i] ^ mask[i]
	}
	a, _ := netip.AddrFromSlice(b) // 4 or 16 bytes
	return netip.AddrPortFrom(a, port)
}
