package fanout

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/pion/srtp/v3"
)

var bothSRTP = map[string]srtp.ProtectionProfile{
	"AES-GCM": srtp.ProtectionProfileAeadAes128Gcm, "AES-CM": srtp.ProtectionProfileAes128CmHmacSha1_80,
}

// randomKeys are those of one side; a viewer has them the other way round.
func randomKeys(t testing.TB, profile srtp.ProtectionProfile) srtpKeys {
	t.Helper()
	size, err := profile.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	saltSize, err := profile.SaltLen()
	if err != nil {
		t.Fatal(err)
	}
	draw := func(n int) []byte {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return b
	}
	k := srtpKeys{profile: profile}
	k.local.key, k.local.salt, k.remote.key, k.remote.salt = draw(size), draw(saltSize), draw(size), draw(saltSize)
	return k
}

func mustSeal(t testing.TB, k srtpKeys) *sealer {
	t.Helper()
	s, err := newSealer(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustOpen(t testing.TB, k srtpKeys) *opener {
	t.Helper()
	o, err := newOpener(k)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// srtpContext is pion's for one direction.
func srtpContext(t testing.TB, key, salt []byte, profile srtp.ProtectionProfile) *srtp.Context {
	t.Helper()
	c, err := srtp.CreateContext(key, salt, profile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rtpPacket is a plain packet without extensions.
func rtpPacket(ssrc uint32, seq uint16, payload string) []byte {
	p := []byte{0x80, 96}
	p = binary.BigEndian.AppendUint16(p, seq)
	p = binary.BigEndian.AppendUint32(p, 90000)
	p = binary.BigEndian.AppendUint32(p, ssrc)
	return append(p, payload...)
}

// extended is a packet with a header extension of one byte, playout-delay.
func extended(ssrc uint32, seq uint16, payload string) []byte {
	p := rtpPacket(ssrc, seq, "")
	p[0] |= 0x10
	return append(append(p, 0xBE, 0xDE, 0, 1, 0x52, 0, 0, 0), payload...)
}

// receiverReport is one without blocks.
func receiverReport(ssrc uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0x80, 201, 0, 1}, ssrc)
}

// trySeal protects a copy of a packet.
func trySeal(s *sealer, plain []byte) ([]byte, error) {
	buf := append(make([]byte, 0, len(plain)+s.overhead()), plain...)
	n, err := s.sealRTP(buf, len(plain))
	return buf[:n], err
}

func seal(t testing.TB, s *sealer, plain []byte) []byte {
	t.Helper()
	sealed, err := trySeal(s, plain)
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != len(plain)+s.overhead() {
		t.Fatalf("a packet of %d bytes was sealed to %d", len(plain), len(sealed))
	}
	return sealed
}

func TestSealedPackets(t *testing.T) {
	for name, profile := range bothSRTP {
		t.Run(name, func(t *testing.T) {
			k := randomKeys(t, profile)
			s, viewer := mustSeal(t, k), srtpContext(t, k.local.key, k.local.salt, profile)
			seq := uint16(65000)
			for range 70000 { // over two wraps
				plain := extended(7, seq, "a part of a picture")
				got, err := viewer.DecryptRTP(nil, seal(t, s, plain), nil)
				if err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("packet %d: the viewer reads %q: %v", seq, got, err)
				}
				seq++
			}
			report := receiverReport(7)
			buf := append(make([]byte, 0, 100), report...)
			n, err := s.sealRTCP(buf, len(report))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := viewer.DecryptRTCP(nil, buf[:n], nil); err != nil || !bytes.Equal(got, report) {
				t.Errorf("the viewer reads %x: %v", got, err)
			}
		})
	}
}

// A resend without RTX is the same packet to the byte, also from before a wrap.
func TestResendIsIdentical(t *testing.T) {
	const late = 1000
	for name, profile := range bothSRTP {
		for place, first := range map[string]uint16{"mid-way": 20000, "across the wrap": 64900, "just after it": 65535} {
			t.Run(name+" "+place, func(t *testing.T) {
				s := mustSeal(t, randomKeys(t, profile))
				packet := func(i int) []byte { return extended(7, first+uint16(i), "payload") }
				var sent [][]byte
				for i := range 3 * late {
					sent = append(sent, seal(t, s, packet(i)))
					if i < late {
						continue
					}
					if again := seal(t, s, packet(i-late)); !bytes.Equal(again, sent[i-late]) {
						t.Fatalf("packet %d differs when it is sent again %d later", i-late, late)
					}
				}
				ciphertexts := map[string]bool{}
				for _, p := range sent {
					ciphertexts[string(p[20:])] = true
				}
				if len(ciphertexts) != len(sent) {
					t.Errorf("%d packets have %d ciphertexts", len(sent), len(ciphertexts))
				}
			})
		}
	}
}

// No index is guessed: what might be another packet under the same nonce is refused.
func TestNoncesAreNeverReused(t *testing.T) {
	type step struct {
		seq uint16
		ok  bool
	}
	for name, steps := range map[string][]step{
		"before the first":             {{100, true}, {99, false}, {65535, false}, {101, true}},
		"before the first, after more": {{100, true}, {101, true}, {99, false}},
		"far ahead":                    {{100, true}, {100 + maxAhead, true}, {101 + 2*maxAhead, false}, {100 + 2*maxAhead, true}},
		"half way round":               {{0, true}, {32768, false}, {32767, false}, {1, true}},
		"a filled gap":                 {{100, true}, {105, true}, {103, true}, {106, true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustSeal(t, randomKeys(t, srtp.ProtectionProfileAeadAes128Gcm))
			for i, st := range steps {
				if _, err := trySeal(s, rtpPacket(1, st.seq, "x")); (err == nil) != st.ok || !st.ok && !errors.Is(err, errNonceReuse) {
					t.Errorf("step %d, sequence number %d: %v", i, st.seq, err)
				}
			}
		})
	}
	t.Run("far behind", func(t *testing.T) {
		s := mustSeal(t, randomKeys(t, srtp.ProtectionProfileAeadAes128Gcm))
		for seq := range uint16(maxBehind + 2) {
			seal(t, s, rtpPacket(1, seq, "x"))
		}
		if _, err := trySeal(s, rtpPacket(1, 0, "x")); !errors.Is(err, errNonceReuse) {
			t.Errorf("a packet 2^15 behind: %v", err)
		}
		if _, err := trySeal(s, rtpPacket(1, 1, "x")); err != nil {
			t.Errorf("a packet 2^15-1 behind: %v", err)
		}
	})
	t.Run("the last index", func(t *testing.T) {
		s := mustSeal(t, randomKeys(t, srtp.ProtectionProfileAeadAes128Gcm))
		seal(t, s, rtpPacket(1, 65535, "x"))
		s.context.SetROC(1, 1<<32-1)
		s.sent.list[0].newest = 1<<48 - 1
		seal(t, s, rtpPacket(1, 65535, "x"))
		if _, err := trySeal(s, rtpPacket(1, 0, "x")); err == nil {
			t.Error("the index begins again")
		}
	})
}

// The rollovers that the guard and the library reckon with are the same.
func TestRolloverAgrees(t *testing.T) {
	for name, profile := range bothSRTP {
		t.Run(name, func(t *testing.T) {
			s := mustSeal(t, randomKeys(t, profile))
			for i := range uint64(200000) {
				seq := uint16(40000 + i)
				if i%7 == 3 {
					seq -= uint16(i % 900) // a resend
				}
				if _, err := trySeal(s, rtpPacket(1, seq, "x")); err != nil {
					if !errors.Is(err, errNonceReuse) || i > 900 {
						t.Fatalf("packet %d: %v", i, err)
					}
					continue
				}
				if roc, _ := s.context.ROC(1); uint64(roc) != s.sent.list[0].newest>>16 {
					t.Fatalf("packet %d: the rollovers are %d and %d", i, roc, s.sent.list[0].newest>>16)
				}
			}
		})
	}
}

func TestWhatCantBeSealed(t *testing.T) {
	s := mustSeal(t, randomKeys(t, srtp.ProtectionProfileAeadAes128Gcm))
	full := rtpPacket(1, 1, "x")
	for name, c := range map[string]struct {
		seal func() (int, error)
		want error
	}{
		"no room":               {func() (int, error) { return s.sealRTP(full[:len(full):len(full)], len(full)) }, errNoRoom},
		"no room for RTCP":      {func() (int, error) { return s.sealRTCP(full[:len(full):len(full)], len(full)) }, errNoRoom},
		"shorter than a header": {func() (int, error) { return s.sealRTP(make([]byte, 11, 100), 11) }, errNotSealed},
		"shorter than its size": {func() (int, error) { return s.sealRTP(make([]byte, 12, 100), 13) }, errNotSealed},
		"short RTCP":            {func() (int, error) { return s.sealRTCP(make([]byte, 7, 100), 7) }, errNotSealed},
		"no RTCP":               {func() (int, error) { return s.sealRTCP(make([]byte, 8, 100), 8) }, errNotSealed},
		"header cut off": {func() (int, error) {
			return s.sealRTP(append(make([]byte, 0, 100), extended(1, 1, "")[:14]...), 14)
		}, errNotSealed},
	} {
		if n, err := c.seal(); n != 0 || !errors.Is(err, c.want) {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestSourcesAreBounded(t *testing.T) {
	k := randomKeys(t, srtp.ProtectionProfileAeadAes128Gcm)
	s, o, viewer := mustSeal(t, k), mustOpen(t, k), srtpContext(t, k.remote.key, k.remote.salt, k.profile)
	for ssrc := range uint32(10000) { // J114
		want := ssrc < maxSources
		if _, err := trySeal(s, rtpPacket(ssrc, 1, "x")); (err == nil) != want || !want && !errors.Is(err, errSources) {
			t.Fatalf("source %d is sealed for: %v", ssrc, err)
		}
		report, err := viewer.EncryptRTCP(nil, receiverReport(ssrc), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.openRTCP(report); (err == nil) != want || !want && !errors.Is(err, errSources) {
			t.Fatalf("source %d is read: %v", ssrc, err)
		}
		if _, err := o.openRTCP(report); want != errors.Is(err, errReplayed) {
			t.Fatalf("source %d is read again: %v", ssrc, err)
		}
	}
}

// J110, J111
func TestOpenRTCP(t *testing.T) {
	for name, profile := range bothSRTP {
		t.Run(name, func(t *testing.T) {
			k := randomKeys(t, profile)
			o, viewer := mustOpen(t, k), srtpContext(t, k.remote.key, k.remote.salt, profile)
			other := randomKeys(t, profile)
			stranger := srtpContext(t, other.remote.key, other.remote.salt, profile)
			next := func(from *srtp.Context) []byte {
				sealed, err := from.EncryptRTCP(nil, receiverReport(5), nil)
				if err != nil {
					t.Fatal(err)
				}
				return sealed
			}
			flip := func(data []byte, at int, bits byte) []byte {
				data[(len(data)+at)%len(data)] ^= bits
				return data
			}
			open, err := srtp.CreateContext(k.remote.key, k.remote.salt, profile, srtp.SRTCPNoEncryption())
			if err != nil {
				t.Fatal(err)
			}
			first := next(viewer)
			for _, c := range []struct {
				name string
				data []byte
				want error
			}{
				{"plain", receiverReport(5), errForged},
				{"plain and long", append(receiverReport(5), make([]byte, 40)...), errForged},
				{"empty", nil, errForged},
				{"of a stranger", next(stranger), errForged},
				{"of a stranger, another source", append([]byte{0x80, 201, 0, 1, 9, 9, 9, 9}, next(stranger)[8:]...), errForged},
				{"with another type", flip(bytes.Clone(first), 1, 1), errForged},
				{"with another index", flip(bytes.Clone(first), -o.tail+3, 8), errForged},
				{"not said to be encrypted", flip(bytes.Clone(first), -o.tail, 0x80), errForged},
				{"the viewer's, but not encrypted", next(open), errForged},
				{"of version 0", flip(bytes.Clone(first), 0, 0x80), errForged},
				{"cut short", first[:len(first)-1], errForged},
				{"the viewer's", bytes.Clone(first), nil},
				{"the same again", bytes.Clone(first), errReplayed},
				{"the next", next(viewer), nil},
				{"the same again, later", bytes.Clone(first), errReplayed},
			} {
				got, err := o.openRTCP(c.data)
				if !errors.Is(err, c.want) || c.want == nil && !bytes.Equal(got, receiverReport(5)) {
					t.Errorf("%s: %x, %v", c.name, got, err)
				}
			}
			for range 2 * replayWindow {
				next(viewer)
			}
			if _, err := o.openRTCP(next(viewer)); err != nil {
				t.Errorf("after a gap: %v", err)
			}
			if _, err := o.openRTCP(bytes.Clone(first)); !errors.Is(err, errReplayed) {
				t.Errorf("from before the window: %v", err)
			}
		})
	}
}

func TestAllocationsOfSRTP(t *testing.T) {
	for name, profile := range bothSRTP {
		k := randomKeys(t, profile)
		s, o, viewer := mustSeal(t, k), mustOpen(t, k), srtpContext(t, k.remote.key, k.remote.salt, profile)
		plain, buf, seq := extended(1, 0, string(make([]byte, 1200))), make([]byte, 1500), uint16(0)
		if n := testing.AllocsPerRun(1000, func() {
			n := copy(buf, plain)
			binary.BigEndian.PutUint16(buf[2:], seq)
			seq++
			if _, err := s.sealRTP(buf, n); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations to seal RTP", name, n)
		}
		report := receiverReport(1)
		if n := testing.AllocsPerRun(1000, func() {
			if _, err := s.sealRTCP(buf, copy(buf, report)); err != nil {
				t.Fatal(err)
			}
		}); n > 1 { // pion's additional data for AES-GCM
			t.Errorf("%s: %v allocations to seal RTCP", name, n)
		}
		var sealed [][]byte
		for range 1002 {
			p, err := viewer.EncryptRTCP(nil, report, nil)
			if err != nil {
				t.Fatal(err)
			}
			sealed = append(sealed, p)
		}
		if n := testing.AllocsPerRun(1000, func() {
			if _, err := o.openRTCP(sealed[0]); err != nil {
				t.Fatal(err)
			}
			sealed = sealed[1:]
		}); n > 1 { // the same
			t.Errorf("%s: %v allocations to open RTCP", name, n)
		}
	}
}

// J110, J111: nothing that a stranger writes is opened.
func FuzzOpenRTCP(f *testing.F) {
	o := map[byte]*opener{}
	for i, profile := range []srtp.ProtectionProfile{srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80} {
		k := randomKeys(f, profile)
		o[byte(i)] = mustOpen(f, k)
		other := randomKeys(f, profile)
		sealed, err := srtpContext(f, other.remote.key, other.remote.salt, profile).EncryptRTCP(nil, receiverReport(5), nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), sealed)
		f.Add(byte(i), sealed[:len(sealed)-1])
		f.Add(byte(i), receiverReport(5))
	}
	f.Fuzz(func(t *testing.T, profile byte, data []byte) {
		if plain, err := o[profile&1].openRTCP(data); err == nil {
			t.Errorf("a forged packet is opened as %x", plain)
		}
	})
}
