package fanout

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
)

// rawViewer is a viewer down to its datagrams, who can do what no library would.
type rawViewer struct {
	t       testing.TB
	h       *house
	session *Session
	cert    tls.Certificate
	theirs  credentials // the viewer's own first
	out     *srtp.Context

	*foot
	inner *pipe // of the DTLS client, which speaks from wherever foot is
}

// foot is one address of a viewer's.
type foot struct {
	conn *net.UDPConn
	stun chan []byte
	dtls chan []byte
	rtp  chan []byte
}

func newFoot(t testing.TB) *foot {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	f := &foot{conn: conn, stun: make(chan []byte, 1024), dtls: make(chan []byte, 1024), rtp: make(chan []byte, 4096)}
	var reading sync.WaitGroup
	reading.Go(f.read)
	t.Cleanup(func() {
		_ = conn.Close()
		reading.Wait()
	})
	return f
}

func (f *foot) read() {
	buf := make([]byte, 2048)
	for {
		n, err := f.conn.Read(buf)
		if err != nil {
			return
		}
		to := f.rtp
		switch {
		case isSTUN(buf[:n]):
			to = f.stun
		case buf[0] >= 20 && buf[0] <= 63:
			to = f.dtls
		}
		select {
		case to <- append([]byte(nil), buf[:n]...):
		default:
		}
	}
}

const rawOffer = `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:%s
a=ice-pwd:%s
a=fingerprint:%s
a=setup:actpass
a=recvonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
`

// newRawViewer has asked for the stream and done nothing else.
func newRawViewer(t testing.TB, h *house) *rawViewer {
	t.Helper()
	v := &rawViewer{t: t, h: h, cert: newCertificate(t), theirs: newCredentials("", ""), foot: newFoot(t)}
	print := printOf(t, v.cert, "sha-256")
	sdp := fmt.Sprintf(rawOffer, v.theirs.ufrag, v.theirs.pwd, print.Algorithm+" "+print.Value)
	v.session = h.answer(t, strings.ReplaceAll(sdp, "\n", "\r\n"))
	v.learn()
	return v
}

// learn takes our side of the newest generation of ICE.
func (v *rawViewer) learn() {
	v.session.ice.mu.Lock()
	defer v.session.ice.mu.Unlock()
	key := v.session.ice.keys[len(v.session.ice.keys)-1]
	v.theirs.remoteUfrag, v.theirs.remotePwd = key.ufrag, key.pwd
}

func (v *rawViewer) send(data []byte) {
	v.t.Helper()
	if _, err := v.conn.WriteTo(data, net.UDPAddrFromAddrPort(v.h.port.Addr())); err != nil {
		v.t.Fatal(err)
	}
}

// request is a check with a password.
func (v *rawViewer) request(pwd string, more ...stun.Setter) []byte {
	all := append([]stun.Setter{
		stun.BindingRequest, stun.TransactionID, stun.NewUsername(v.theirs.remoteUfrag + ":" + v.theirs.ufrag),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{1, 2, 3, 4}},
	}, more...)
	return stun.MustBuild(append(all, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...).Raw
}

func nominate() stun.Setter { return stun.RawAttribute{Type: stun.AttrUseCandidate} }

// check sends one with the right password and waits for the answer.
func (v *rawViewer) check(more ...stun.Setter) {
	v.t.Helper()
	v.send(v.request(v.theirs.remotePwd, more...))
	select {
	case data := <-v.stun:
		if m := (&stun.Message{Raw: data}); m.Decode() != nil || m.Type != stun.BindingSuccess {
			v.t.Fatalf("the check was answered with %v", m)
		}
	case <-time.After(patience):
		v.t.Fatal("the check was not answered")
	}
}

// shake makes the DTLS handshake and returns its error.
func (v *rawViewer) shake(ctx context.Context) error {
	v.inner = newPipe(netip.AddrPort{}, func(data []byte) error {
		_, err := v.conn.WriteTo(data, net.UDPAddrFromAddrPort(v.h.port.Addr()))
		return err
	})
	over := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			select {
			case data := <-v.dtls:
				v.inner.deliver(data)
			case <-over:
				return
			}
		}
	})
	v.t.Cleanup(func() {
		close(over)
		passing.Wait()
	})
	conn, err := dtls.ClientWithOptions(v.inner, v.inner.remote,
		dtls.WithInsecureSkipVerify(true), dtls.WithCertificates(v.cert), dtls.WithFlightInterval(50*time.Millisecond),
		dtls.WithSRTPProtectionProfiles(bothProfiles...), dtls.WithLoggerFactory(pionLoggers{pionLogger{quiet}}))
	if err != nil {
		return err
	}
	v.t.Cleanup(func() {
		v.inner.close()
		_ = conn.Close()
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	return v.takeKeys(conn)
}

func (v *rawViewer) takeKeys(conn *dtls.Conn) error {
	profile, _ := conn.SelectedSRTPProtectionProfile()
	state, _ := conn.ConnectionState()
	config := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	err := config.ExtractSessionKeysFromDTLS(&state, true)
	if err == nil {
		v.out, err = srtp.CreateContext(config.Keys.LocalMasterKey, config.Keys.LocalMasterSalt, config.Profile)
	}
	return err
}

// join connects and is sent the stream.
func (v *rawViewer) join() {
	v.t.Helper()
	v.check(nominate())
	if err := v.shake(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
	v.h.start(v.t, v.session)
	v.awaitMedia("after it has joined")
}

// sealed is RTCP as this viewer sends it.
func (v *rawViewer) sealed(packets ...rtcp.Packet) []byte {
	v.t.Helper()
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		v.t.Fatal(err)
	}
	data, err := v.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return data
}

// awaitMedia waits for a packet that has yet to come.
func (v *rawViewer) awaitMedia(when string) {
	v.t.Helper()
	for len(v.rtp) > 0 {
		<-v.rtp
	}
	select {
	case <-v.rtp:
	case <-time.After(patience):
		v.t.Fatalf("no media came %s", when)
	}
}

// hasMedia reports whether anything but checks has come.
func (v *rawViewer) hasMedia() bool { return len(v.rtp) > 0 }
