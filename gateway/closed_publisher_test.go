package gateway_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"sluice/internal/testviewer"
)

// What publishers send: a keyframe, or sound, that can be decoded by itself.
var (
	h265Unit = [][]byte{
		[]byte("\x40\x01\x0c\x01\xff\xff\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x5d\x95\x98\x09"),
		[]byte("\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x5d\xa0\x02\x80\x80\x2d\x16\x59\x59\xa4\x93\x2b\xc0\x40\x40\x00\x00\x03\x00\x40\x00\x00\x07\x82"),
		[]byte("\x44\x01\xc1\x72\xb4\x62\x40"), []byte("\x26\x01\xaf\x08\x10"),
	}
	vp8Unit  = [][]byte{[]byte("\x10\x10\x00\x00\x9d\x01\x2a\x10\x00\x10\x00\x01\x02\x03")}
	vp9Unit  = [][]byte{[]byte("\x8c\x81\x23\x82\x49\x83\x42\x00\x00\xf0\x00\xf6\x00\x00\x00\x00")}
	av1Unit  = [][]byte{[]byte("\x28\x0c\x08\x00\x00\x00\x42\xa7\xbf\xe4\x60\x0d\x00\x40\x30\x10\x00\x00")}
	opusUnit = [][]byte{[]byte("\xf8\xff\xfe")}
)

// lyingPublishers send payloads that can't be.
var lyingPublishers = map[string]struct {
	codec testviewer.Codec
	unit  [][]byte
	lies  []string
}{
	"J117: H265": {testviewer.H265, h265Unit, []string{
		"\x60\x01\x00\x09\x02\x01\x80", "\x64\x01\x80\x00", "\x62\x01\xf1\x80", "\x02", "\x62\x01\x93\x80", "\x40\x01" + strings.Repeat("\x00", 1100), "\x42\x01", "",
	}},
	"J118: AV1": {testviewer.AV1, av1Unit, []string{
		"\x00", "\x00\x7f\x30\x10", "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x30", "\x80\x01\x30", "\x30\x01\x30", "",
	}},
	"J118: VP9":  {testviewer.VP9, vp9Unit, []string{"\x8c", "\x0e\x08\xff\x01", "\x04\x86", "\x08\x00", "\x0c\x82\x00\x00", "\x2c\x0f\x00\x86", ""}},
	"J118: VP8":  {testviewer.VP8, vp8Unit, []string{"\x90", "\x90\x80", "\x10", "\x00\x01", "\x10\x00", ""}},
	"J119: Opus": {testviewer.Opus, opusUnit, []string{"\x03", "\xff\x00", "\xff\x3f", "\x1b\x3f", ""}},
}

// J117, J118, J119, once more with authorisation on: what a publisher sends besides good pictures or sound costs those
// near it at most, and reaches no viewer.
func TestLyingPublishersAtAClosedGateway(t *testing.T) {
	w := newWatched(t, "", "strict")
	for id, c := range lyingPublishers {
		t.Run(id, func(t *testing.T) {
			l := newLiar(t, c.codec, c.unit...)
			from := l.begins(t, w, unchanged)
			before := arrive(t, from, 20)
			l.does(t, order{lies: append(c.lies, c.lies...)})
			for _, unit := range append(before, arrive(t, from, 20)...) {
				if len(unit) != len(before[0]) {
					t.Errorf("%x came, and at first %x", unit, before[0])
				}
			}
			l.ends(t, w)
		})
	}
}

var unchanged = strings.NewReplacer()

// madPublishers change the headers of what they send. Sequence numbers that leap by half their space can leave the two
// ends of SRTP at odds about the rollover counter (RFC 3711, section 3.3.1): lost is who did that, and has to come again.
var madPublishers = map[string]struct {
	spoil func(n int, h *rtp.Header)
	lost  bool
}{
	"markers on all":             {func(_ int, h *rtp.Header) { h.Marker = true }, false},
	"markers on none":            {func(_ int, h *rtp.Header) { h.Marker = false }, false},
	"timestamps at random":       {func(_ int, h *rtp.Header) { h.Timestamp = rand.Uint32() }, false},
	"timestamps all the same":    {func(_ int, h *rtp.Header) { h.Timestamp = 7 }, false},
	"sequence by leaps":          {func(_ int, h *rtp.Header) { h.SequenceNumber += 5000 }, false},
	"sequence by great leaps":    {func(_ int, h *rtp.Header) { h.SequenceNumber += 32766 }, true},
	"sequence there and back":    {func(_ int, h *rtp.Header) { h.SequenceNumber += 32767 }, true},                // and the 1 of each packet
	"sequence numbers at random": {func(_ int, h *rtp.Header) { h.SequenceNumber = uint16(rand.Uint32()) }, true}, //nolint:gosec // any
}

// J120, once more with authorisation on: sequence numbers, timestamps and markers that can't be fill nothing up, and
// the viewer gets pictures again once they are right.
func TestMadPublishersAtAClosedGateway(t *testing.T) {
	w := newWatched(t, "", "strict")
	for name, c := range madPublishers {
		t.Run(name, func(t *testing.T) {
			l := newLiar(t, testviewer.H265, h265Unit...)
			from, before := l.begins(t, w, unchanged), heap()
			arrive(t, from, 5)
			l.does(t, order{steps: 150, spoil: c.spoil})
			if c.lost {
				l.ends(t, w)
				next := newLiar(t, testviewer.H265, h265Unit...)
				next.publish(t, w, l.room, next.offer(t))
				l = next
			}
			arrive(t, from, 20)
			if grown := heap() - before; grown > 32<<20 {
				t.Errorf("the heap has grown by %d bytes", grown)
			}
			l.ends(t, w)
		})
	}
}

// J93, once more with authorisation on: a publisher that controls, though its offer says that it can't, connects.
func TestBothControllingAtAClosedGateway(t *testing.T) {
	w, l := newWatched(t, "", "strict"), newLiar(t, testviewer.VP8, vp8Unit...)
	arrive(t, l.begins(t, w, strings.NewReplacer("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n")), 20)
	l.ends(t, w)
}

// J112, once more with authorisation on: a publisher whose certificate is not the one of its offer is not listened to.
func TestPublisherWithAnotherCertificateAtAClosedGateway(t *testing.T) {
	w, p := newWatched(t, "", "strict"), newRawPeer(t, "sendonly", "")
	w.keepsOut(t, "POST", "/room-1/whip", p.offer)
	p.join(t, w, "/room-1/whip")
	anotherCertificate(t, w, p)
	w.goesOn(t)
}
