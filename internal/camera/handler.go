package camera

import (
	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
)

// handler answers the requests of readers, on the server's goroutines.
type handler struct {
	options *Options

	ready chan struct{}           // closed by open; nothing is sent
	out   *gortsplib.ServerStream // fixed before ready is closed; nil if there will be no stream
}

// open lets the requests go on that came before the stream was there.
func (h *handler) open(out *gortsplib.ServerStream) {
	h.out = out
	close(h.ready)
}

// check returns the refusal of a request, nil if it is welcome.
func (h *handler) check(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, error) {
	o := h.options
	if o.User != "" && !conn.VerifyCredentials(req, o.User, o.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, liberrors.ErrServerAuth{}
	}
	if o.Path != "" && path != o.Path {
		return &base.Response{StatusCode: base.StatusNotFound}, nil
	}
	return nil, nil
}

// welcome waits for the stream and grants a request for it.
func (h *handler) welcome() (*base.Response, *gortsplib.ServerStream, error) {
	<-h.ready
	if h.out == nil {
		return &base.Response{StatusCode: base.StatusServiceUnavailable}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, h.out, nil
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (h *handler) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if res, err := h.check(ctx.Conn, ctx.Request, ctx.Path); res != nil {
		return res, nil, err
	}
	return h.welcome()
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (h *handler) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if res, err := h.check(ctx.Conn, ctx.Request, ctx.Path); res != nil {
		return res, nil, err
	}
	if ctx.Transport == gortsplib.TransportTCP && !h.options.offers(TCP) {
		return &base.Response{StatusCode: base.StatusUnsupportedTransport}, nil, nil
	}
	return h.welcome()
}

// OnPlay implements gortsplib.ServerHandlerOnPlay.
func (h *handler) OnPlay(ctx *gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	if res, err := h.check(ctx.Conn, ctx.Request, ctx.Path); res != nil {
		return res, err
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnConnClose implements gortsplib.ServerHandlerOnConnClose.
func (h *handler) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	h.options.Logger.Debug("reader hung up", "remote", ctx.Conn.NetConn().RemoteAddr().String(), "err", ctx.Error)
}

// OnSessionOpen implements gortsplib.ServerHandlerOnSessionOpen.
func (h *handler) OnSessionOpen(ctx *gortsplib.ServerHandlerOnSessionOpenCtx) {
	h.options.Logger.Info("reader came", "remote", ctx.Conn.NetConn().RemoteAddr().String())
}

// OnSessionClose implements gortsplib.ServerHandlerOnSessionClose.
func (h *handler) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	h.options.Logger.Info("reader left", "err", ctx.Error)
}

// OnStreamWriteError implements gortsplib.ServerHandlerOnStreamWriteError. A reader that is too slow loses packets.
func (h *handler) OnStreamWriteError(ctx *gortsplib.ServerHandlerOnStreamWriteErrorCtx) {
	h.options.Logger.Debug("packet not sent", "err", ctx.Error)
}
