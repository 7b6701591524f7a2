package fanout

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"sluice/negotiation"
)

var quiet = slog.New(slog.DiscardHandler)

// newCertificate makes one as browsers do: self-signed, ECDSA on P-256.
func newCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// printOf is a certificate's fingerprint, as an offer says it.
func printOf(t testing.TB, c tls.Certificate, algorithm string) negotiation.Fingerprint {
	t.Helper()
	hash, ok := fingerprintHash(algorithm)
	if !ok {
		t.Fatalf("no hash is called %s", algorithm)
	}
	var pairs strings.Builder
	for i, b := range digest(hash, c.Certificate[0]) {
		if i > 0 {
			pairs.WriteByte(':')
		}
		const digits = "0123456789ABCDEF"
		pairs.WriteByte(digits[b>>4])
		pairs.WriteByte(digits[b&15])
	}
	return negotiation.Fingerprint{Algorithm: algorithm, Value: pairs.String()}
}

// cable joins a viewer's pipe to one of ours, and keeps what we wrote.
type cable struct {
	ours, theirs *pipe

	mu   sync.Mutex
	sent [][]byte               // guarded by mu; by us
	lose func(data []byte) bool // guarded by mu; of what we send; nil: nothing
	hear func(data []byte)      // guarded by mu; takes what the viewer sends instead of our pipe
}

func newCable() *cable {
	c := &cable{}
	c.ours = newPipe(netip.MustParseAddrPort("192.0.2.1:5000"), c.fromUs)
	c.theirs = newPipe(netip.MustParseAddrPort("192.0.2.2:8189"), c.fromViewer)
	return c
}

func (c *cable) fromUs(data []byte) error {
	c.mu.Lock()
	c.sent = append(c.sent, append([]byte(nil), data...))
	lost := c.lose != nil && c.lose(data)
	c.mu.Unlock()
	if !lost {
		c.theirs.deliver(data)
	}
	return nil
}

func (c *cable) fromViewer(data []byte) error {
	c.mu.Lock()
	hear := c.hear
	c.mu.Unlock()
	if hear != nil {
		hear(append([]byte(nil), data...))
	} else {
		c.ours.deliver(data)
	}
	return nil
}

// reroute gives what the viewer sends to a function from now on.
func (c *cable) reroute(hear func([]byte)) {
	c.mu.Lock()
	c.hear = hear
	c.mu.Unlock()
}

// datagrams is how many we sent.
func (c *cable) datagrams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// numbers are the sequence numbers of all encrypted records that we sent.
func (c *cable) numbers() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []uint64
	for _, d := range c.sent {
		for len(d) >= recordHeader {
			if epoch := binary.BigEndian.Uint64(d[3:]); epoch>>48 == 1 {
				list = append(list, epoch&(1<<48-1))
			}
			d = d[recordHeader+int(binary.BigEndian.Uint16(d[11:])):]
		}
	}
	return list
}

// dtlsViewer is a viewer on pion/dtls.
type dtlsViewer struct {
	conn *dtls.Conn
	err  error         // of its handshake
	done chan struct{} // closed when its handshake is over
}

var bothProfiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AES128_CM_HMAC_SHA1_80, dtls.SRTP_AEAD_AES_128_GCM}

// connect begins a viewer's handshake.
func (c *cable) connect(t testing.TB, cert *tls.Certificate, more ...dtls.ClientOption) *dtlsViewer {
	t.Helper()
	o := []dtls.ClientOption{
		dtls.WithInsecureSkipVerify(true), dtls.WithFlightInterval(50 * time.Millisecond),
		dtls.WithLoggerFactory(pionLoggers{pionLogger{quiet}}),
	}
	if cert != nil {
		o = append(o, dtls.WithCertificates(*cert))
	}
	conn, err := dtls.ClientWithOptions(c.theirs, c.theirs.remote, append(o, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	v := &dtlsViewer{conn: conn, done: make(chan struct{})}
	go func() {
		defer close(v.done)
		v.err = conn.HandshakeContext(shortly(t))
	}()
	t.Cleanup(func() {
		c.theirs.close()
		_ = conn.Close()
		<-v.done
	})
	return v
}

// goodbye waits for the end of the viewer's connection, and reports whether it was closed by a close_notify or alert.
func (v *dtlsViewer) goodbye() bool {
	<-v.done
	_, err := v.conn.Read(make([]byte, 100))
	return errors.Is(err, io.EOF)
}

// securePair makes a handshake with a viewer.
func securePair(t testing.TB, more ...dtls.ClientOption) (*cable, *dtlsViewer, *secured) {
	t.Helper()
	c, theirs := newCable(), newCertificate(t)
	v := c.connect(t, &theirs, append([]dtls.ClientOption{dtls.WithSRTPProtectionProfiles(bothProfiles...)}, more...)...)
	h := newHandshaker(newCertificate(t), quiet)
	s, err := h.run(t.Context(), c.ours, []negotiation.Fingerprint{printOf(t, theirs, "sha-256")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close(nil) })
	if <-v.done; v.err != nil {
		t.Fatal(v.err)
	}
	return c, v, s
}

// shortly is a context for a handshake that fails.
func shortly(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
