package fanout

import (
	"encoding/binary"
	"testing"

	"github.com/pion/srtp/v3"
)

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

// rtpPacket is a plain packet without extensions.
func rtpPacket(ssrc uint32, seq uint16, payload string) []byte {
	p := []byte{0x80, 96}
	p = binary.BigEndian.AppendUint16(p, seq)
	p = binary.BigEndian.AppendUint32(p, 90000)
	p = binary.BigEndian.AppendUint32(p, ssrc)
	return append(p, payload...)
}

// receiverReport is one without blocks.
func receiverReport(ssrc uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0x80, 201, 0, 1}, ssrc)
}

// seal protects a copy of a packet.
func seal(t testing.TB, s *sealer, plain []byte) []byte {
	t.Helper()
	buf := append(make([]byte, 0, len(plain)+s.overhead()), plain...)
	n, err := s.sealRTP(buf, len(plain))
	if err != nil {
		t.Fatal(err)
	}
	if n != len(plain)+s.overhead() {
		t.Fatalf("a packet of %d bytes was sealed to %d", len(plain), n)
	}
	return buf[:n]
}

var _ = srtp.ProtectionProfileAeadAes128Gcm
