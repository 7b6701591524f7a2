package rtsp

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"sluice/media"
)

// newEngine makes a gortsplib client that speaks through a repairing connection.
func newEngine(c *conn, to target, timeout time.Duration) *gortsplib.Client {
	tcp := gortsplib.TransportTCP
	e := &gortsplib.Client{
		Scheme:            to.url.Scheme,
		Host:              to.url.Host,
		Transport:         &tcp, // always, in its view
		ReadTimeout:       timeout,
		WriteTimeout:      writeTimeout,
		UserAgent:         userAgent,
		OnTransportSwitch: func(error) {},
		OnPacketsLost:     func(uint64) {}, // counted by rtpin
		OnDecodeError:     func(error) {},  // likewise
	}
	// The engine would wrap a connection of scheme rtsps in TLS once more, but needs to know that the scheme is
	// rtsps to set up SRTP. So it is told rtsp while it dials and rtsps from its first request on; both calls
	// come from its own goroutine.
	e.DialContext = func(context.Context, string, string) (net.Conn, error) {
		e.Scheme = "rtsp"
		return c, nil
	}
	e.OnRequest = func(*base.Request) { e.Scheme = to.url.Scheme }
	return e
}

// explain makes an error of this package out of one of the engine, or of what lies behind it.
func (s *session) explain(method string, err error) error {
	if cause := s.conn.cause(); cause != nil && !errors.Is(cause, net.ErrClosed) {
		return cause
	}
	var status liberrors.ErrClientBadStatusCode
	switch {
	case errors.As(err, &status) && status.Code == base.StatusNotFound && method == "DESCRIBE":
		return &NotFoundError{URL: media.RedactURL(s.to.url.String())}
	case errors.As(err, &status):
		return &StatusError{Method: method, Code: int(status.Code), Reason: printable(status.Message)}
	case errors.As(err, new(liberrors.ErrClientRequestTimedOut)):
		return &TimeoutError{Missing: "answer", After: s.source.options.ReadTimeout}
	case errors.As(err, new(liberrors.ErrClientTCPTimeout)):
		return &TimeoutError{Missing: "media", After: s.source.options.ReadTimeout}
	}
	return err
}
