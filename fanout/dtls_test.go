package fanout

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"

	"sluice/negotiation"
	"sluice/transport"
)

func TestProfilesOfHandshake(t *testing.T) {
	fastest := transport.SRTPProfiles[srtp.ProtectionProfile]()[0]
	for name, c := range map[string]struct {
		offered []dtls.SRTPProtectionProfile
		want    srtp.ProtectionProfile
	}{
		"both, as Chromium has them": {bothProfiles, fastest},
		"AES-CM alone":               {bothProfiles[:1], srtp.ProtectionProfileAes128CmHmacSha1_80},
		"AES-GCM alone":              {bothProfiles[1:], srtp.ProtectionProfileAeadAes128Gcm},
	} {
		t.Run(name, func(t *testing.T) {
			_, v, s := securePair(t, dtls.WithSRTPProtectionProfiles(c.offered...))
			k := s.keys()
			if k.profile != c.want {
				t.Fatalf("the profile is %#x, not %#x", k.profile, c.want)
			}
			sealAndOpen(t, k, viewersKeys(t, v, c.want))
		})
	}
}

// viewersKeys are the keys as the viewer has them, by pion's own derivation.
func viewersKeys(t testing.TB, v *dtlsViewer, profile srtp.ProtectionProfile) srtp.SessionKeys {
	t.Helper()
	state, ok := v.conn.ConnectionState()
	config := srtp.Config{Profile: profile}
	if err := config.ExtractSessionKeysFromDTLS(&state, true); !ok || err != nil {
		t.Fatalf("the viewer has no keys: %v", err)
	}
	return config.Keys
}

// sealAndOpen sends a packet to the viewer, and one from it.
func sealAndOpen(t testing.TB, ours srtpKeys, theirs srtp.SessionKeys) {
	t.Helper()
	in, err := srtp.CreateContext(theirs.RemoteMasterKey, theirs.RemoteMasterSalt, ours.profile)
	if err != nil {
		t.Fatal(err)
	}
	out, err := srtp.CreateContext(theirs.LocalMasterKey, theirs.LocalMasterSalt, ours.profile)
	if err != nil {
		t.Fatal(err)
	}
	s, o := mustSeal(t, ours), mustOpen(t, ours)
	sealed := seal(t, s, rtpPacket(1, 7, "picture"))
	if plain, err := in.DecryptRTP(nil, sealed, nil); err != nil || !strings.HasSuffix(string(plain), "picture") {
		t.Errorf("the viewer can't read the packet: %q, %v", plain, err)
	}
	report, err := out.EncryptRTCP(nil, receiverReport(9), nil)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := o.openRTCP(report); err != nil || string(plain) != string(receiverReport(9)) {
		t.Errorf("we can't read the report: %x, %v", plain, err)
	}
}

// J112: a certificate that is not the offer's gets no keys.
func TestFingerprint(t *testing.T) {
	theirs, other := newCertificate(t), newCertificate(t)
	lower := printOf(t, theirs, "sha-256")
	lower.Value = strings.ToLower(lower.Value)
	for name, c := range map[string]struct {
		want []negotiation.Fingerprint
		ok   bool
	}{
		"sha-256":               {[]negotiation.Fingerprint{printOf(t, theirs, "sha-256")}, true},
		"sha-384":               {[]negotiation.Fingerprint{printOf(t, theirs, "sha-384")}, true},
		"sha-512":               {[]negotiation.Fingerprint{printOf(t, theirs, "sha-512")}, true},
		"lower case":            {[]negotiation.Fingerprint{lower}, true},
		"the second of two":     {[]negotiation.Fingerprint{printOf(t, other, "sha-512"), printOf(t, theirs, "sha-256")}, true},
		"another certificate's": {[]negotiation.Fingerprint{printOf(t, other, "sha-256")}, false},
		"none":                  {nil, false},
		"of an unknown hash":    {[]negotiation.Fingerprint{{Algorithm: "sha-1", Value: lower.Value}}, false},
		"no hexadecimal":        {[]negotiation.Fingerprint{{Algorithm: "sha-256", Value: "no"}}, false},
		"empty":                 {[]negotiation.Fingerprint{{Algorithm: "sha-256"}}, false},
		"cut short":             {[]negotiation.Fingerprint{{Algorithm: "sha-256", Value: lower.Value[:47]}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCable()
			v := w.connect(t, &theirs, dtls.WithSRTPProtectionProfiles(bothProfiles...))
			s, err := newHandshaker(newCertificate(t), quiet).run(shortly(t), w.ours, c.want)
			if c.ok {
				if err != nil {
					t.Fatal(err)
				}
				s.close(nil)
				return
			}
			if !errors.Is(err, errFingerprint) || s != nil {
				t.Errorf("the handshake gave %v, %v", s, err)
			}
			if <-v.done; v.err == nil {
				t.Error("the viewer believes that it is connected")
			}
		})
	}
}

// J112
func TestHandshakesThatFail(t *testing.T) {
	theirs := newCertificate(t)
	want := []negotiation.Fingerprint{printOf(t, theirs, "sha-256")}
	for name, c := range map[string]struct {
		cert *tls.Certificate
		more []dtls.ClientOption
		is   error
	}{
		"no certificate": {nil, []dtls.ClientOption{dtls.WithSRTPProtectionProfiles(bothProfiles...)}, nil},
		"no SRTP":        {&theirs, nil, errNoSRTP},
		"a profile that we don't have": {&theirs, []dtls.ClientOption{
			dtls.WithSRTPProtectionProfiles(dtls.SRTP_NULL_HMAC_SHA1_80),
		}, nil},
		"a suite that we don't have": {&theirs, []dtls.ClientOption{
			dtls.WithSRTPProtectionProfiles(bothProfiles...), dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM),
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCable()
			w.connect(t, c.cert, c.more...)
			s, err := newHandshaker(newCertificate(t), quiet).run(shortly(t), w.ours, want)
			if err == nil || s != nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("the handshake gave %v, %v", s, err)
			}
			if !w.ours.isClosed() {
				t.Error("the pipe is open after the handshake has failed")
			}
		})
	}
}

func TestOurFingerprint(t *testing.T) {
	cert := newCertificate(t)
	want := printOf(t, cert, "sha-256")
	if got := newHandshaker(cert, quiet).fingerprint(); got != "sha-256 "+want.Value {
		t.Errorf("our fingerprint is %q, not %q", got, want.Value)
	}
}

func TestSuites(t *testing.T) {
	for _, suite := range suites {
		t.Run(dtls.CipherSuiteName(suite), func(t *testing.T) {
			_, v, s := securePair(t, dtls.WithCipherSuites(suite))
			sealAndOpen(t, s.keys(), viewersKeys(t, v, s.keys().profile))
		})
	}
}

var suites = []dtls.CipherSuiteID{
	dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	dtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}

func TestHandshakeWithNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began, w := time.Now(), newCable()
		_, err := newHandshaker(newCertificate(t), quiet).run(ctx, w.ours, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 10*time.Second {
			t.Errorf("the handshake ended after %v with %v", time.Since(began), err)
		}
	})
}

func TestHandshakeOverClosedPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCable()
		go func() {
			time.Sleep(time.Second)
			w.ours.close()
		}()
		began := time.Now()
		if _, err := newHandshaker(newCertificate(t), quiet).run(t.Context(), w.ours, nil); err == nil {
			t.Error("a handshake succeeds over a closed pipe")
		}
		if time.Since(began) != time.Second {
			t.Errorf("the handshake goes on for %v", time.Since(began))
		}
	})
}

// Of each flight the first copy is lost: ours comes again by our timer, the last one when the viewer repeats its own.
func TestLostFlights(t *testing.T) {
	for name, lose := range map[string]func(data []byte) bool{
		"ServerHello": func(data []byte) bool { return data[0] == 22 && binary.BigEndian.Uint16(data[3:]) == 0 },
		"Finished":    func(data []byte) bool { return data[0] == 20 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				theirs, w, lost := newCertificate(t), newCable(), 0
				w.lose = func(data []byte) bool {
					if lose(data) {
						lost++
						return lost == 1
					}
					return false
				}
				v := w.connect(t, &theirs, dtls.WithSRTPProtectionProfiles(bothProfiles...))
				began := time.Now()
				s, err := newHandshaker(newCertificate(t), quiet).run(shortly(t), w.ours, []negotiation.Fingerprint{printOf(t, theirs, "sha-256")})
				if err != nil {
					t.Fatal(err)
				}
				defer s.close(nil)
				w.reroute(func(data []byte) { s.record(data) })
				if <-v.done; v.err != nil {
					t.Fatal(v.err)
				}
				if took := time.Since(began); lost < 2 || took > 300*time.Millisecond {
					t.Errorf("the viewer was connected after %v, with %d flights sent", took, lost)
				}
			})
		})
	}
}

// J112: what one session may make us do is bounded, whatever it sends.
func TestHelloFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs, w := newCertificate(t), newCable()
		var hello []byte
		w.reroute(func(data []byte) { hello = data })
		w.connect(t, &theirs, dtls.WithSRTPProtectionProfiles(bothProfiles...))
		synctest.Wait()
		w.theirs.close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			_, err := newHandshaker(newCertificate(t), quiet).run(ctx, w.ours, nil)
			ended <- err
		}()
		for i := range 1000 {
			binary.BigEndian.PutUint32(hello[7:], uint32(i)) // the record's sequence number
			w.ours.deliver(hello)
			if i%10 == 0 {
				synctest.Wait()
			}
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the handshake ended with %v", err)
		}
		if n := w.datagrams(); n == 0 || n > 14 {
			t.Errorf("a thousand ClientHellos have us send %d datagrams", n)
		}
		if w.ours.left != 0 {
			t.Errorf("the pipe takes %d more", w.ours.left)
		}
	})
}

// J112: ClientHellos in fragments, and fragments that never make a message.
func TestFragments(t *testing.T) {
	t.Run("of a flight", func(t *testing.T) {
		_, v, s := securePair(t, dtls.WithMTU(100))
		sealAndOpen(t, s.keys(), viewersKeys(t, v, s.keys().profile))
	})
	t.Run("of no message", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newCable()
			go func() {
				for i := range 2000 {
					w.ours.deliver(fragment(uint64(i), uint16(i), uint32(i)))
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if _, err := newHandshaker(newCertificate(t), quiet).run(ctx, w.ours, nil); err == nil {
				t.Error("fragments of nothing make a handshake")
			}
		})
	})
}

// fragment is a record with one byte of a ClientHello that is said to have 16 MB.
func fragment(number uint64, message uint16, offset uint32) []byte {
	d := []byte{22, 0xFE, 0xFD}
	d = binary.BigEndian.AppendUint64(d, number)
	d = binary.BigEndian.AppendUint16(d, 13)
	d = append(d, 1, 0xFF, 0xFF, 0xFF)
	d = binary.BigEndian.AppendUint16(d, message)
	d = append(d, byte(offset>>16), byte(offset>>8), byte(offset), 0, 0, 1, 'x')
	return d
}

func TestNumbersNeverRepeat(t *testing.T) {
	for _, suite := range suites {
		t.Run(dtls.CipherSuiteName(suite), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // no flight is sent again because the machine is slow
				w, v, s := securePair(t, dtls.WithCipherSuites(suite))
				s.settle()
				s.close(w.fromUs)
				if !v.goodbye() {
					t.Fatal("the viewer doesn't know that we left")
				}
				numbers := w.numbers()
				slices.Sort(numbers)
				if len(numbers) != 2 || len(slices.Compact(numbers)) != 2 {
					t.Errorf("the records' sequence numbers are %v", numbers)
				}
			})
		})
	}
}
