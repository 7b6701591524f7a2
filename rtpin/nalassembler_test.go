package rtpin

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/rtp"

	"sluice/media"
)

// record is a sink that writes down what it is told: a unit as its NAL units in hexadecimal, "!" for a
// broken one.
type record struct{ got []string }

func (r *record) finished(u unit) {
	var parts []string
	for _, d := range u.data {
		parts = append(parts, fmt.Sprintf("%x", d))
	}
	r.got = append(r.got, strings.Join(parts, " "))
}

func (r *record) broken() { r.got = append(r.got, "!") }

func (r *record) ignored() { r.got = append(r.got, "?") }

// step is one packet for a depacketizer; lost says that some are missing before it.
type step struct {
	ts      uint32
	marker  bool
	payload string
	lost    bool
}

func run(tb testing.TB, codec media.Codec, steps []step) string {
	tb.Helper()
	r := &record{}
	t := videoTrack(codec)
	d, err := newDepacketizer(&t, r)
	if err != nil {
		tb.Fatal(err)
	}
	for i, s := range steps {
		if s.lost {
			d.lost()
		}
		d.push(packet(uint16(i), s.ts, s.marker, []byte(s.payload)...), start)
	}
	return strings.Join(r.got, "|")
}

// E41, E42, E43, J116. NAL units: 67 SPS, 68 PPS, 06 SEI, 09 AUD, 65 IDR, 41 slice; 88 begins a picture's
// first slice.
func TestH264Packets(t *testing.T) {
	const m = true
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"one packet", []step{{1, m, "\x65\x88", false}}, "6588"},
		{"two slices", []step{{1, false, "\x65\x88", false}, {1, m, "\x65\x11", false}}, "6588 6511"},
		{"marker on SPS and PPS", []step{{1, m, "\x67\x42", false}, {1, m, "\x68\xce", false}, {1, m, "\x65\x88", false}}, "6742 68ce 6588"},
		{"marker on SEI and AUD", []step{{1, m, "\x09\xf0", false}, {1, m, "\x06\x05", false}, {1, m, "\x65\x88", false}}, "09f0 0605 6588"},
		{"never a marker", []step{{1, false, "\x65\x88", false}, {2, false, "\x41\x88", false}, {3, false, "\x41\x89", false}}, "6588|4188"},
		{"parameter sets at their own time", []step{{1, m, "\x67\x42", false}, {2, m, "\x65\x88", false}}, "6742|6588"},
		{"same timestamp, two markers", []step{{1, m, "\x65\x88", false}, {1, m, "\x41\x88", false}}, "6588|4188"},
		{"marker on each slice", []step{
			{1, m, "\x65\x88", false},
			{1, m, "\x65\x11", false},
			{1, m, "\x65\x12", false},
			{2, m, "\x41\x88", false},
			{2, m, "\x7c\x81\x11", false},
			{2, m, "\x7c\x41\x22", false},
			{3, m, "\x41\x89", false},
		}, "6588|!|4188 611122"},
		{"each slice marked, after a loss", []step{
			{1, m, "\x65\x88", false},
			{1, m, "\x65\x11", false},
			{2, m, "\x41\x88", false},
			{2, m, "\x41\x12", true},
			{3, m, "\x41\x88", false},
			{3, m, "\x41\x11", false},
			{4, m, "\x41\x89", false},
		}, "6588|!|4188 4111"},
		{"STAP-A", []step{{1, m, "\x78\x00\x02\x67\x42\x00\x02\x65\x88", false}}, "6742 6588"},
		{"STAP-A with padding", []step{{1, m, "\x78\x00\x02\x65\x88\x00\x00\x00", false}}, "6588"},
		{"STAP-A with one zero", []step{{1, m, "\x78\x00\x02\x65\x88\x00", false}}, "6588"},
		{"STAP-A of size 0 in between", []step{{1, m, "\x78\x00\x00\x00\x02\x65\x88", false}}, "!"},
		{"STAP-A empty", []step{{1, m, "\x78", false}}, "!"},
		{"STAP-A overrun", []step{{1, m, "\x78\x00\x09\x65\x88", false}}, "!"},
		{"STAP-A in STAP-A", []step{{1, m, "\x78\x00\x05\x78\x00\x02\x65\x88", false}}, "!"},
		{"FU-A", []step{{1, false, "\x7c\x85\x88", false}, {1, false, "\x7c\x05\x01", false}, {1, m, "\x7c\x45\x02", false}}, "65880102"},
		{"FU-A with S and E", []step{{1, m, "\x7c\xc5\x88", false}}, "6588"},
		{"FU-A never ended", []step{{1, m, "\x65\x88", false}, {2, false, "\x7c\x85\x88", false}, {3, m, "\x41\x88", false}}, "6588|!|4188"},
		{"FU-A without start", []step{{1, m, "\x65\x88", false}, {2, m, "\x7c\x45\x02", false}, {3, m, "\x41\x88", false}}, "6588|!|4188"},
		{"FU-A started twice", []step{{1, m, "\x65\x88", false}, {2, false, "\x7c\x85\x88", false}, {2, m, "\x7c\xc5\x88", false}}, "6588|!"},
		{"FU-A of 2 bytes", []step{{1, m, "\x65\x88", false}, {2, m, "\x7c\xc5", false}}, "6588|!"},
		{"STAP-A in FU-A", []step{{1, m, "\x65\x88", false}, {2, m, "\x7c\xd8\x00\x02\x65\x88", false}}, "6588|!"},
		{"single NAL unit in a FU-A", []step{{1, m, "\x65\x88", false}, {2, false, "\x7c\x85\x88", false}, {2, m, "\x41\x88", false}}, "6588|!"},
		{"STAP-B", []step{{1, m, "\x65\x88", false}, {2, m, "\x79\x00\x00\x00\x02\x65\x88", false}}, "6588|!"},
		{"type 0", []step{{1, false, "\x65\x88", false}, {1, false, "\x00\x88", false}, {1, m, "\x65\x11", false}}, "?|6588 6511"},
		{"type 30", []step{{1, false, "\x65\x88", false}, {1, false, "\x7e\x88", false}, {1, m, "\x65\x11", false}}, "?|6588 6511"},
		{"type 31", []step{{1, false, "\x65\x88", false}, {1, false, "\x7f\x88", false}, {1, m, "\x65\x11", false}}, "?|6588 6511"},
		{"NAL unit of 1 byte", []step{{1, false, "\x09", false}, {1, m, "\x65\x88", false}}, "09 6588"},
		{"a unit goes on after a fault", []step{{1, m, "\x65\x88", false}, {2, false, "\x79", false}, {2, m, "\x41\x88", false}, {3, m, "\x41\x89", false}}, "6588|!|4189"},
		{"Annex B inside", []step{{1, m, "\x67\x42\x00\x00\x00\x01\x68\xce\x00\x00\x01\x65\x88", false}}, "6742 68ce 6588"},
		{"Annex B in front", []step{{1, m, "\x00\x00\x00\x01\x65\x88", false}}, "6588"},
		{"Annex B in FU-A of type 0", []step{{1, false, "\x7c\x80\x00\x00\x01\x67\x42", false}, {1, m, "\x7c\x40\x00\x00\x01\x65\x88", false}}, "60 6742 6588"},
		{"Annex B in FU-A", []step{{1, false, "\x7c\x87\x42\x00\x00", false}, {1, m, "\x7c\x47\x01\x65\x88", false}}, "6742 6588"},
		{"begins in mid FU-A", []step{{1, m, "\x7c\x45\x02", false}, {2, m, "\x65\x88", false}}, "6588"},
		{"begins in mid picture", []step{{1, m, "\x65\x11", false}, {2, m, "\x65\x88", false}}, "6588"},
		{"lost within", []step{{1, false, "\x65\x88", false}, {1, m, "\x65\x11", true}, {2, m, "\x41\x88", false}}, "4188"},
		{"lost before", []step{{1, m, "\x65\x88", false}, {2, m, "\x41\x88", true}}, "6588|4188"},
		{"101 NAL units", append(repeat(step{1, false, "\x06\x05", false}, 100), step{1, m, "\x65\x88", false}), "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := append([]step{{0, m, "\x65\x80", false}}, c.steps...)
			if strings.HasPrefix(c.name, "begins") {
				steps = c.steps
			}
			if got := strings.TrimPrefix(run(t, media.H264, steps), "6580|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func repeat(s step, n int) []step {
	out := make([]step, n)
	for i := range out {
		out[i] = s
	}
	return out
}

// E41, E42, J117. NAL units: 4001 VPS, 4201 SPS, 4401 PPS, 4e01 SEI, 2601 IDR, 0201 slice; 80 begins a
// picture's first slice.
func TestH265Packets(t *testing.T) {
	const m = true
	idr := step{1, m, "\x26\x01\x80", false}
	for _, c := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"one packet", []step{idr}, "260180"},
		{"marker on parameter sets", []step{{1, m, "\x40\x01\x0c", false}, {1, m, "\x42\x01\x01", false}, idr}, "40010c 420101 260180"},
		{"never a marker", []step{{1, false, "\x26\x01\x80", false}, {2, false, "\x02\x01\x80", false}}, "260180"},
		{"aggregation packet", []step{{1, m, "\x60\x01\x00\x03\x40\x01\x0c\x00\x03\x26\x01\x80", false}}, "40010c 260180"},
		{"aggregation packet overrun", []step{idr, {2, m, "\x60\x01\x00\x09\x40\x01\x0c", false}}, "260180|!"},
		{"aggregation packet in one", []step{idr, {2, m, "\x60\x01\x00\x03\x60\x01\x00", false}}, "260180|!"},
		{"FU", []step{{1, false, "\x62\x01\x93\x80", false}, {1, false, "\x62\x01\x13\x01", false}, {1, m, "\x62\x01\x53\x02", false}}, "2601800102"},
		{"FU with S and E", []step{{1, m, "\x62\x01\xd3\x80", false}}, "260180"},
		{"FU of type 49", []step{idr, {2, m, "\x62\x01\xf1\x80", false}}, "260180|!"},
		{"FU never ended", []step{idr, {2, false, "\x62\x01\x93\x80", false}, {3, m, "\x02\x01\x80", false}}, "260180|!|020180"},
		{"type 63", []step{{1, false, "\x26\x01\x80", false}, {1, m, "\x7e\x01\x00", false}}, "?|260180"},
		{"PACI", []step{idr, {2, m, "\x64\x01\x80\x00", false}}, "260180|!"},
		{"2 bytes", []step{idr, {2, m, "\x26\x01", false}}, "260180|!"},
		{"Annex B inside", []step{{1, m, "\x40\x01\x0c\x00\x00\x01\x26\x01\x80", false}}, "40010c 260180"},
		{"lost before, first slice missing", []step{idr, {2, m, "\x26\x01\x00", true}, {3, m, "\x02\x01\x80", false}}, "260180|020180"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := run(t, media.H265, c.steps); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// E43: what never ends is dropped at 8 MiB or 8192 packets and keeps no memory; the next unit is whole again.
func TestUnitLimits(t *testing.T) {
	for _, c := range []struct {
		name  string
		size  int
		codec media.Codec
		head  string
	}{
		{"bytes", 60000, media.H264, "\x7c\x05"},
		{"packets", 1, media.H264, "\x7c\x05"},
		{"bytes", 60000, media.H265, "\x62\x01\x13"},
		{"packets", 1, media.H265, "\x62\x01\x13"},
	} {
		r := &record{}
		track := videoTrack(c.codec)
		d, err := newDepacketizer(&track, r)
		if err != nil {
			t.Fatal(err)
		}
		a := d.(*nalAssembler)
		first := []byte(c.head + "\x88")
		first[len(c.head)-1] |= 0x80
		body := append([]byte(c.head), bytes.Repeat([]byte{1}, c.size)...)
		a.suspect = false
		a.push(&rtp.Packet{Header: rtp.Header{Timestamp: 1}, Payload: first}, start)
		for range 20000 {
			a.push(&rtp.Packet{Header: rtp.Header{Timestamp: 1}, Payload: body}, start)
			if a.fragSize > maxUnit || len(a.fragments) > maxUnitPackets+1 {
				t.Fatalf("%s: %d bytes in %d fragments kept", c.name, a.fragSize, len(a.fragments))
			}
		}
		if len(r.got) != 1 || r.got[0] != "!" || a.fragSize != 0 {
			t.Errorf("%s %s: %v, %d bytes kept", c.codec, c.name, r.got, a.fragSize)
		}
		whole := []byte("\x65\x88\x80")
		if c.codec == media.H265 {
			whole = []byte("\x26\x01\x80")
		}
		a.push(&rtp.Packet{Header: rtp.Header{Timestamp: 2, Marker: true}, Payload: whole}, start)
		if len(r.got) != 2 {
			t.Errorf("%s %s: the next unit did not come", c.codec, c.name)
		}
	}
}
