package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"

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
