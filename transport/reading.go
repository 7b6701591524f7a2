package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// maxFailures is how many reads of a socket may fail in a row. Some systems tell of datagrams that did not arrive at a
// peer when the socket is read next.
const maxFailures = 100

// failures counts reads that fail in a row.
type failures struct {
	n    int
	over bool // reading has come to its end
}

// judge says what a failed read means: an error, the end, or neither.
func (f *failures) judge(ctx context.Context, err error) error {
	f.n++
	switch {
	case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
		f.over = true
		return nil
	case f.n >= maxFailures:
		return fmt.Errorf("read the UDP port: %w", err)
	}
	return nil
}

func (f *failures) forget() { f.n = 0 }
