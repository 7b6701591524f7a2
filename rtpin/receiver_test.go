package rtpin

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"sluice/bitstream"
	"sluice/media"
)

// start is when the first packet of every test arrives.
var start = media.Epoch().Add(time.Hour)

// harness is a Receiver with all that it gave.
type harness struct {
	*Receiver
	units  []*media.AccessUnit
	tracks []media.Track
	seq    uint16
	now    time.Time
}

func newHarness(tb testing.TB, o Options) *harness {
	tb.Helper()
	h := &harness{now: start}
	o.OnUnit = func(au *media.AccessUnit) { h.units = append(h.units, au) }
	o.OnTrack = func(t media.Track) { h.tracks = append(h.tracks, t) }
	r, err := NewReceiver(o)
	if err != nil {
		tb.Fatal(err)
	}
	h.Receiver = r
	return h
}

func videoTrack(codec media.Codec) media.Track {
	return media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000}
}

func audioTrack(codec media.Codec, rate int) media.Track {
	return media.Track{ID: "audio", Kind: media.Audio, Codec: codec, ClockRate: rate, Channels: 1}
}

func packet(seq uint16, ts uint32, marker bool, payload ...byte) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: marker, SSRC: 1, PayloadType: 96},
		Payload: payload,
	}
}

// send pushes the next packet in order.
func (h *harness) send(ts uint32, marker bool, payload ...byte) {
	h.Push(packet(h.seq, ts, marker, payload...), h.now)
	h.seq++
}

// picture is one coded picture of a real stream, without parameter sets.
func pictures(tb testing.TB) (sets [][]byte, key, other []byte) {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "bitstream", "testdata", "h264_baseline.264"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range bitstream.AppendNALUs(nil, b) {
		switch n[0] & 0x1f {
		case 7, 8:
			if len(sets) < 2 {
				sets = append(sets, n)
			}
		case 5:
			key = n
		case 1:
			other = n
		}
	}
	return sets, key, other
}

func keys(units []*media.AccessUnit) (out []bool) {
	for _, u := range units {
		out = append(out, u.Keyframe)
	}
	return out
}

// E40, E44: after a loss nothing comes until the next keyframe, and each drop is counted.
func TestLossWaitsForKeyframe(t *testing.T) {
	sets, key, other := pictures(t)
	h := newHarness(t, Options{Track: videoTrack(media.H264)})
	ts := uint32(0)
	unit := func(nalus ...[]byte) {
		ts += 9000
		for i, n := range nalus {
			h.send(ts, i == len(nalus)-1, n...)
		}
	}
	unit(other)
	unit(sets[0], sets[1], key)
	unit(other)
	h.seq++ // lost
	unit(other)
	unit(other)
	unit(key)
	unit(other)
	if got, want := keys(h.units), []bool{true, false, true, false}; !slices.Equal(got, want) {
		t.Errorf("keyframes %v, want %v", got, want)
	}
	if s := h.Stats(); s.Lost != 1 || s.Dropped != 3 || s.Malformed != 0 || s.Packets != 9 {
		t.Errorf("stats %+v", s)
	}
	if len(h.tracks) != 1 || h.tracks[0].Width != 96 {
		t.Errorf("OnTrack: %+v", h.tracks)
	}
	if got := len(h.units[2].Data); got != 3 {
		t.Errorf("the second keyframe has %d NAL units, want SPS, PPS and IDR", got)
	}
}

// E40: a keyframe right after a loss counts only if its own first slice is there.
func TestLossBeforeKeyframe(t *testing.T) {
	sets, key, _ := pictures(t)
	later := slices.Clone(key)
	later[1] &= 0x7f // first_mb_in_slice is not 0
	for _, c := range []struct {
		name  string
		slice []byte
		want  int
	}{{"whole", key, 2}, {"first slice lost", later, 1}} {
		h := newHarness(t, Options{Track: videoTrack(media.H264)})
		h.send(1, false, sets[0]...)
		h.send(1, false, sets[1]...)
		h.send(1, true, key...)
		h.seq += 3
		h.send(9001, true, c.slice...)
		if len(h.units) != c.want {
			t.Errorf("%s: %d units, want %d", c.name, len(h.units), c.want)
		}
	}
}

// E40: a new SSRC starts over without an error, and PTS goes on forward.
func TestNewSSRC(t *testing.T) {
	sets, key, other := pictures(t)
	h := newHarness(t, Options{Track: videoTrack(media.H264), Unordered: true})
	send := func(ssrc uint32, seq uint16, ts uint32, marker bool, n []byte) {
		p := packet(seq, ts, marker, n...)
		p.SSRC = ssrc
		h.Push(p, h.now)
	}
	send(1, 10, 1000, false, sets[0])
	send(1, 11, 1000, false, sets[1])
	send(1, 12, 1000, true, key)
	h.now = h.now.Add(100 * time.Millisecond)
	send(2, 60000, 4e9, true, other)
	h.now = h.now.Add(100 * time.Millisecond)
	send(2, 60001, 4e9+9000, true, key)
	if len(h.units) != 2 || !h.units[1].Keyframe {
		t.Fatalf("keyframes %v, want two", keys(h.units))
	}
	if d := h.units[1].PTS - h.units[0].PTS; d != 18000 {
		t.Errorf("PTS went on by %d ticks, want 18000", d)
	}
	if s := h.Stats(); s.Resyncs != 1 || s.Lost != 0 {
		t.Errorf("stats %+v", s)
	}
}

// J113: what is no RTP is counted and dropped; an empty payload is a keepalive.
func TestNoRTP(t *testing.T) {
	h := newHarness(t, Options{Track: audioTrack(media.PCMA, 8000)})
	p := packet(1, 1, true, 1)
	p.Version = 0
	h.Push(p, start)
	h.Push(packet(1, 1, true), start)
	h.Push(packet(2, 161, true, 1, 2), start)
	if s := h.Stats(); s.Malformed != 1 || s.Lost != 0 || len(h.units) != 1 {
		t.Errorf("stats %+v, %d units", s, len(h.units))
	}
}

func TestUnsupportedCodec(t *testing.T) {
	_, err := NewReceiver(Options{Track: audioTrack("g726", 8000)})
	var unsupported *UnsupportedCodecError
	if !errors.As(err, &unsupported) || unsupported.Codec != "g726" {
		t.Errorf("got %v", err)
	}
}

// Arrived is that of a unit's last packet, PTS that of its first.
func TestArrival(t *testing.T) {
	sets, key, _ := pictures(t)
	h := newHarness(t, Options{Track: videoTrack(media.H264)})
	for i, n := range [][]byte{sets[0], sets[1], key} {
		h.send(500, i == 2, n...)
		h.now = h.now.Add(10 * time.Millisecond)
	}
	u := h.units[0]
	if !u.Arrived.Equal(start.Add(20*time.Millisecond)) || u.PTS != media.PTS(start, 90000) {
		t.Errorf("arrived %v after the start, PTS %d", u.Arrived.Sub(start), u.PTS-media.PTS(start, 90000))
	}
}

// Bytes of several packets are the bytes that were sent.
func TestH264RoundTrip(t *testing.T) {
	sets, key, _ := pictures(t)
	h := newHarness(t, Options{Track: videoTrack(media.H264)})
	stap := []byte{0x78}
	for _, n := range sets {
		stap = append(append(stap, byte(len(n)>>8), byte(len(n))), n...)
	}
	h.send(7, false, stap...)
	for rest, first := key[1:], true; len(rest) > 0; first = false {
		n := min(len(rest), 100)
		fu := []byte{key[0]&0x60 | 28, key[0] & 0x1f}
		if first {
			fu[1] |= 0x80
		}
		if n == len(rest) {
			fu[1] |= 0x40
		}
		h.send(7, n == len(rest), append(fu, rest[:n]...)...)
		rest = rest[n:]
	}
	want := append(slices.Clone(sets), key)
	if len(h.units) != 1 || !slices.EqualFunc(h.units[0].Data, want, bytes.Equal) {
		t.Fatalf("%d units, not the one that was sent", len(h.units))
	}
}

func BenchmarkDepacketizeH264(b *testing.B) {
	const size, parts = 1200, 20
	sets, key, _ := pictures(b)
	for _, c := range []struct {
		name string
		add  bool
	}{{"transport=ordered", false}, {"transport=unordered", true}} {
		b.Run(c.name, func(b *testing.B) {
			t := videoTrack(media.H264)
			t.ParameterSets = sets
			r, err := NewReceiver(Options{Track: t, Unordered: c.add})
			if err != nil {
				b.Fatal(err)
			}
			payload := bytes.Repeat([]byte{0x5a}, size)
			copy(payload[2:], key[1:16])
			b.SetBytes(size * parts)
			b.ReportAllocs()
			seq, ts, now := uint16(0), uint32(0), start
			for b.Loop() {
				ts += 3000
				now = now.Add(time.Second / 30)
				for i := range parts {
					payload[0], payload[1] = 0x7c, 5
					if i == 0 {
						payload[1] |= 0x80
					} else if i == parts-1 {
						payload[1] |= 0x40
					}
					r.Push(&rtp.Packet{
						Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: ts, Marker: i == parts-1, SSRC: 1},
						Payload: payload,
					}, now)
					seq++
				}
			}
			if s := r.Stats(); s.Dropped+s.Malformed+s.Lost > 0 {
				b.Fatalf("stats %+v", s)
			}
		})
	}
}
