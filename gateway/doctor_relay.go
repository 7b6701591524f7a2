package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"sluice/doctor"
	"sluice/turn"
)

// doctorRelays tries STUN and TURN servers.
type doctorRelays struct{ log *slog.Logger }

// Try implements doctor.Relays. A media port answers nobody but its sessions: that the relay may send there is all that
// is asked.
func (d doctorRelays) Try(ctx context.Context, s doctor.ICEServer, peer netip.AddrPort) (doctor.RelayResult, error) {
	if host, isSTUN := strings.CutPrefix(s.URL, "stun:"); isSTUN {
		return askSTUN(ctx, host)
	}
	r, err := turn.Check(ctx, turn.CheckOptions{
		URL: s.URL, Username: s.Username, Credential: s.Credential, Peer: peer, Log: d.log,
	})
	result := doctor.RelayResult{Relayed: r.Relayed, Mapped: r.Mapped, Took: r.Took}
	if err == nil || errors.As(err, new(*turn.NoAnswerError)) {
		return result, nil
	}
	return result, &doctor.RelayError{Fault: relayFault(err), Err: err}
}

func relayFault(err error) doctor.RelayFault {
	switch {
	case errors.As(err, new(*turn.UnreachableError)):
		return doctor.RelayUnreachable
	case errors.As(err, new(*turn.CertificateError)):
		return doctor.RelayCertificate
	case errors.As(err, new(*turn.UnauthorizedError)):
		return doctor.RelayUnauthorized
	case errors.As(err, new(*turn.QuotaError)):
		return doctor.RelayQuota
	case errors.As(err, new(*turn.ForbiddenError)):
		return doctor.RelayForbidden
	}
	return doctor.RelayRefused
}

const (
	stunHeaderLen = 20
	stunTries     = 4
	stunWait      = time.Second // for an answer, before the question is asked again
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
	for answer := make([]byte, 1500); ctx.Err() == nil && time.Since(began) < stunTries*stunWait; {
		if _, err = conn.Write(question); err == nil {
			_ = conn.SetReadDeadline(time.Now().Add(stunWait)) // fails on closed sockets only
			var n int
			n, err = conn.Read(answer)
			if mapped, ok := stunMapped(answer[:n], question); err == nil && ok {
				return doctor.RelayResult{Mapped: mapped, Took: time.Since(began)}, nil
			}
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			break
		}
	}
	return doctor.RelayResult{}, &doctor.RelayError{Fault: doctor.RelayUnreachable, Err: errors.Join(errors.New("no answer to a STUN Binding request"), err)}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

const stunCookie = 0x2112A442 // RFC 8489 5

func stunQuestion() []byte {
	q := make([]byte, stunHeaderLen)
	q[1] = 1 // Binding request
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
