package gateway_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/stun/v4"
)

// patience is how long a test waits for what has to come.
const patience = time.Minute

// rawPeer is a viewer or publisher down to its datagrams, who can do what no library would.
type rawPeer struct {
	*foot
	cert     tls.Certificate
	offer    string
	path     string // of the endpoint, after join
	location string
	seals    *dtls.Conn // after shake
}

// foot is one address of a peer's. It answers the gateway's checks.
type foot struct {
	port       int            // the gateway's
	ufrag, pwd string         // the gateway's
	conn       *net.UDPConn   // to the port
	inner      net.PacketConn // of the DTLS client; it is sent what comes for it from itself
	stun       chan *stun.Message
	media      chan []byte
	tapped     func(flight []byte) // sees what the DTLS client sends first, if it is set
}

// The words of publishOffer.
const theirUfrag, theirPwd = "abcd", "abcdefghijklmnopqrstuvwx"

// newRawPeer has an offer and has shown it to nobody. more is added to it.
func newRawPeer(t *testing.T, direction, more string) *rawPeer {
	t.Helper()
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.Certificate[0])
	print := strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
	offer := strings.Replace(publishOffer(direction), strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), print, 1)
	return &rawPeer{cert: cert, offer: offer + more}
}

var portOf = regexp.MustCompile(`(?m)^a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) `)

// join has the offer answered.
func (p *rawPeer) join(t *testing.T, w *watched, path string) {
	t.Helper()
	a := w.ask(t, "POST", path, w.one.token, p.offer)
	answer := read(t, a)
	port := portOf.FindStringSubmatch(answer)
	if a.StatusCode != http.StatusCreated || port == nil {
		t.Fatalf("%d %s", a.StatusCode, answer)
	}
	p.path, p.location = path, a.Header.Get("Location")
	number, _ := strconv.Atoi(port[1]) // digits
	p.foot = newFoot(t, number, value(answer, "ice-ufrag"), value(answer, "ice-pwd"))
}

// value is that of an attribute of an SDP.
func value(sdp, name string) string {
	_, rest, _ := strings.Cut(sdp, "\r\na="+name+":")
	word, _, _ := strings.Cut(rest, "\r\n")
	return word
}

func newFoot(t *testing.T, port int, ufrag, pwd string) *foot {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &foot{port: port, ufrag: ufrag, pwd: pwd, conn: conn, inner: inner, stun: make(chan *stun.Message, 1024), media: make(chan []byte, 4096)}
	var reading sync.WaitGroup
	reading.Go(f.read)
	t.Cleanup(func() {
		_, _ = conn.Close(), inner.Close()
		reading.Wait()
	})
	return f
}

// another is a further address of the same peer.
func (f *foot) another(t *testing.T) *foot {
	t.Helper()
	return newFoot(t, f.port, f.ufrag, f.pwd)
}

func (f *foot) read() {
	buf := make([]byte, 2048)
	for {
		n, err := f.conn.Read(buf)
		if err != nil {
			return
		}
		data := append([]byte(nil), buf[:n]...)
		switch {
		case stun.IsMessage(data):
			f.hear(data)
		case data[0] >= 20 && data[0] <= 63:
			_, _ = f.inner.WriteTo(data, f.inner.LocalAddr())
		default:
			select {
			case f.media <- data:
			default:
			}
		}
	}
}

// hear answers a check, and hands out answers.
func (f *foot) hear(data []byte) {
	m := &stun.Message{Raw: data}
	if m.Decode() != nil {
		return
	}
	if m.Type == stun.BindingRequest {
		here := f.conn.RemoteAddr().(*net.UDPAddr)
		reply := stun.MustBuild(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: here.IP, Port: here.Port}, stun.NewShortTermIntegrity(theirPwd), stun.Fingerprint)
		_, _ = f.conn.Write(reply.Raw)
		return
	}
	select {
	case f.stun <- m:
	default:
	}
}

func (f *foot) send(t *testing.T, data []byte) {
	t.Helper()
	if _, err := f.conn.Write(data); err != nil {
		t.Fatal(err)
	}
}

// request is a check.
func (f *foot) request(attributes ...stun.Setter) *stun.Message {
	all := append([]stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(f.ufrag + ":" + theirUfrag)}, attributes...)
	return stun.MustBuild(append(all, stun.NewShortTermIntegrity(f.pwd), stun.Fingerprint)...)
}

// check sends one until it is answered.
func (f *foot) check(t *testing.T, attributes ...stun.Setter) *stun.Message {
	t.Helper()
	m, again, end := f.request(attributes...), time.NewTicker(200*time.Millisecond), time.After(patience)
	defer again.Stop()
	f.send(t, m.Raw)
	for {
		select {
		case answer := <-f.stun:
			if answer.TransactionID == m.TransactionID {
				return answer
			}
		case <-again.C:
			f.send(t, m.Raw)
		case <-end:
			t.Fatal("the check was not answered")
		}
	}
}

// passes is check by one who controls, with success.
func (f *foot) passes(t *testing.T, attributes ...stun.Setter) {
	t.Helper()
	if m := f.check(t, append([]stun.Setter{controlling, priority}, attributes...)...); m.Type != stun.BindingSuccess {
		t.Fatalf("the check was answered with %v", m)
	}
}

var (
	controlling = stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)}
	priority    = stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{110, 0, 1, 255}}
	nominated   = stun.RawAttribute{Type: stun.AttrUseCandidate}
)

// outward sends what the DTLS client does over the foot.
type outward struct {
	net.PacketConn
	foot *foot
}

func (o outward) WriteTo(data []byte, _ net.Addr) (int, error) {
	if tap := o.foot.tapped; tap != nil {
		o.foot.tapped = nil
		tap(data)
	}
	return o.foot.conn.Write(data)
}

// shake makes the DTLS handshake.
func (p *rawPeer) shake(t *testing.T) error {
	t.Helper()
	conn, err := dtls.ClientWithOptions(outward{p.inner, p.foot}, p.inner.LocalAddr(),
		dtls.WithInsecureSkipVerify(true), dtls.WithCertificates(p.cert), dtls.WithFlightInterval(100*time.Millisecond),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p.seals = conn
	return conn.HandshakeContext(ctx)
}

// connects enters by a check, makes the handshake and is sent media. The gateway gives a handshake 10 s: on a machine
// that stood still the peer comes again.
func (p *rawPeer) connects(t *testing.T, w *watched, enter func()) {
	t.Helper()
	enter()
	err := p.shake(t)
	for tries := 1; err != nil && tries < 4; tries++ {
		p.join(t, w, p.path)
		enter()
		err = p.shake(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	awaitMedia(t, p.foot)
}

// awaitMedia waits for a packet that has yet to come, to any of one peer's addresses.
func awaitMedia(t *testing.T, feet ...*foot) {
	t.Helper()
	for _, f := range feet {
		for len(f.media) > 0 {
			<-f.media
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		for _, f := range feet {
			select {
			case <-f.media:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	t.Fatal("no media came")
}
