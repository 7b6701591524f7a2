//go:build !linux

package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// The rest of the systems: one socket for each address family, one datagram a call.

const (
	vectorLen  = 1
	readBuffer = 64 << 10
)

// address is a path in the system's form.
type address struct{ remote netip.AddrPort }

func newAddress(p Path) address { return address{p.Remote} }

func (s *socket) prepare(bool) {}

func (s *socket) close() error { return s.conn.Close() }

func share(*net.UDPConn) bool { return false }

func shareBefore(_, _ string, _ syscall.RawConn) error { return nil }

// sender sends messages through one socket.
type sender struct{ socket *socket }

func newSender(s *socket, _ int) *sender { return &sender{s} }

// flush sends messages in their order. What can't be sent is counted.
func (o *sender) flush(queue []message) {
	for i := range queue {
		m := &queue[i]
		if _, err := o.socket.conn.WriteToUDPAddrPort(m.data, m.to.name.remote); err != nil {
			o.lose(m, err)
			continue
		}
		o.socket.sent(queue[i : i+1])
	}
}

func (o *sender) lose(m *message, err error) {
	var errno syscall.Errno
	switch {
	case errors.Is(err, net.ErrClosed):
		o.socket.lose(m, Closed, 0)
	case errors.As(err, &errno):
		o.socket.lose(m, reasonOf(errno), errno)
	default:
		o.socket.lose(m, Other, 0)
	}
}

// read reads the socket until ctx is done or it is closed.
func (s *socket) read(ctx context.Context, to Receiver, others *Others) error {
	b := make([]byte, readBuffer)
	var failed failures
	for {
		n, remote, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if err = failed.judge(ctx, err); err != nil || failed.over {
				return err
			}
			continue
		}
		failed.forget()
		s.count.in.add(1, n, 1)
		from := unmapped(Path{Remote: remote})
		if !to.Receive(b[:n], from) {
			others.put(b[:n], from.Remote)
		}
	}
}
