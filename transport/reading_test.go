package transport

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestFailedReads(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx   context.Context
		err   error
		times int
		want  error
		over  bool
	}{
		"once":      {t.Context(), syscall.ECONNREFUSED, 1, nil, false},
		"often":     {t.Context(), syscall.ECONNREFUSED, maxFailures - 1, nil, false},
		"for good":  {t.Context(), syscall.EBADF, maxFailures, syscall.EBADF, false},
		"closed":    {t.Context(), net.ErrClosed, 1, nil, true},
		"cancelled": {stopped, syscall.ECONNREFUSED, 1, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var f failures
			var err error
			for range c.times {
				err = f.judge(c.ctx, c.err)
			}
			if !errors.Is(err, c.want) || f.over != c.over {
				t.Errorf("over %t, %v; want %t, %v", f.over, err, c.over, c.want)
			}
		})
	}
	var f failures
	for range 3 * maxFailures {
		if err := f.judge(t.Context(), syscall.ECONNREFUSED); err != nil {
			t.Fatalf("reads that succeed in between are forgotten: %v", err)
		}
		f.forget()
	}
}
