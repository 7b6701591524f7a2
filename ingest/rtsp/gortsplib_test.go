package rtsp

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"
	"github.com/pion/rtp"

	"sluice/internal/testcamera"
)

// library is a camera made of gortsplib's server.
type library struct {
	server *gortsplib.Server
	stream *gortsplib.ServerStream
	media  *description.Media
	user   string // with password "pass"; "" lets everybody in
}

func (l *library) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if l.user != "" && !ctx.Conn.VerifyCredentials(ctx.Request, l.user, "pass") {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, l.stream, nil
}

func (l *library) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, l.stream, nil
}

func (l *library) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// startLibrary serves an H264 stream until the test ends.
func startLibrary(t *testing.T, l *library, config *tls.Config) (address string) {
	t.Helper()
	var bound net.Listener
	l.server = &gortsplib.Server{
		Handler: l, TLSConfig: config, AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5},
		RTSPAddress: "127.0.0.1:0",
		Listen: func(network, a string) (l net.Listener, err error) {
			bound, err = net.Listen(network, a)
			return bound, err
		},
	}
	if config == nil {
		l.server.UDPRTPAddress, l.server.UDPRTCPAddress = udpPair(t)
	}
	if err := l.server.Start(); err != nil {
		t.Fatal(err)
	}
	l.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{
		&format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: testcamera.SPS, PPS: testcamera.PPS},
	}}
	l.stream = &gortsplib.ServerStream{Server: l.server, Desc: &description.Session{Medias: []*description.Media{l.media}}}
	if err := l.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go l.send(stop, stopped)
	t.Cleanup(func() {
		close(stop)
		<-stopped
		l.stream.Close()
		l.server.Close()
	})
	return bound.Addr().String()
}

// udpPair is two free ports of loopback, an even one and the next.
func udpPair(t *testing.T) (string, string) {
	t.Helper()
	s, err := listenUnicast(loopback, loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	return s.conns[0].LocalAddr().String(), s.conns[1].LocalAddr().String()
}

// send sends a keyframe each 20 ms.
func (l *library) send(stop <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	slice := append([]byte{0x65, 0x88, 0x84}, make([]byte, 500)...)
	for n := uint16(0); ; n++ {
		p := &rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: n, Timestamp: 1800 * uint32(n), SSRC: 1, Marker: true},
			Payload: slice,
		}
		_ = l.stream.WritePacketRTP(l.media, p)
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// E1, E9, E20 against another's server.
func TestLibraryServer(t *testing.T) {
	good, _ := certificate(t, time.Now().Add(time.Hour))
	secure := &tls.Config{Certificates: []tls.Certificate{good}}
	for name, c := range map[string]struct {
		transport Transport
		user      string
		tls       *tls.Config
	}{
		"tcp":              {TCP, "", nil},
		"udp":              {UDP, "", nil},
		"auto with Digest": {Auto, "user", nil},
		"TLS, SRTP, tcp":   {TCP, "", secure},
	} {
		t.Run(name, func(t *testing.T) {
			l := &library{user: c.user}
			address := startLibrary(t, l, c.tls)
			url := "rtsp://" + address + "/stream"
			if c.tls != nil {
				url = "rtsps://" + address + "/stream"
			}
			if c.user != "" {
				url = "rtsp://user:pass@" + address + "/stream"
			}
			p := start(t, newSource(t, Options{URL: url, Transport: c.transport, TLSInsecure: true}))
			p.plays(t)
			if got := p.source.Stats(); c.tls != nil && got.Malformed > 0 {
				t.Errorf("%d packets could not be read", got.Malformed)
			}
		})
	}
}
