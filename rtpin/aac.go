package rtpin

import (
	"strconv"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"sluice/media"
)

const (
	maxAACFrame  = 16 << 10 // bytes
	maxAACFrames = 64       // in a packet
)

// newAAC returns the depacketizer that the format parameters of t ask for: LATM if they are those of
// RFC 6416, else RFC 3640 in mode AAC-hbr unless they say otherwise.
func newAAC(t *media.Track, s sink) depacketizer {
	_, size := t.FMTP["sizelength"]
	_, mode := t.FMTP["mode"]
	_, config := t.FMTP["config"]
	if t.FMTP["cpresent"] != "" || config && !size && !mode {
		return newLATM(t, s)
	}
	a := &aac{sink: s, sizeBits: 13, indexBits: 3, deltaBits: 3}
	if size {
		a.sizeBits = fmtpBits(t, "sizelength", 1)
		a.indexBits = fmtpBits(t, "indexlength", 0)
		a.deltaBits = fmtpBits(t, "indexdeltalength", 0)
	}
	var c mpeg4audio.AudioSpecificConfig
	if len(t.ParameterSets) > 0 && c.Unmarshal(t.ParameterSets[0]) != nil {
		c = mpeg4audio.AudioSpecificConfig{}
	}
	a.step = frameTicks(&c, t.ClockRate)
	return a
}

// fmtpBits is the width of a field of the AU header, at least low and at most 16.
func fmtpBits(t *media.Track, key string, low int) int {
	n, err := strconv.Atoi(t.FMTP[key])
	if err != nil {
		return low
	}
	return min(max(n, low), 16)
}

// frameTicks is how long a frame lasts by the track's clock.
func frameTicks(c *mpeg4audio.AudioSpecificConfig, clockRate int) uint32 {
	samples := 1024
	if c.FrameLengthFlag {
		samples = 960
	}
	if c.SampleRate <= 0 {
		return uint32(samples)
	}
	return uint32(int64(samples) * int64(clockRate) / int64(c.SampleRate))
}

// aac is the depacketizer of RFC 3640 without interleaving. The marker is not asked: the sizes in the AU
// headers tell where frames end, and cameras forget it.
type aac struct {
	sink                           sink
	sizeBits, indexBits, deltaBits int
	step                           uint32

	u    unit // a frame in several packets
	part []byte
	want int // its size, 0 between frames
}

func (a *aac) lost() { a.part, a.want = nil, 0 }

func (a *aac) push(pkt *rtp.Packet, arrived time.Time) {
	sizes, data, ok := a.headers(pkt.Payload)
	if !ok {
		a.lost()
		a.sink.broken()
		return
	}
	if a.want > 0 || len(sizes) == 1 && sizes[0] > len(data) {
		a.fragment(pkt, sizes, data, arrived)
		return
	}
	for i, size := range sizes {
		if size > len(data) {
			a.sink.broken()
			return
		}
		if size > 0 {
			ts := pkt.Timestamp + uint32(i)*a.step
			a.sink.finished(unit{data: [][]byte{data[:size]}, timestamp: ts, first: arrived, last: arrived})
		}
		data = data[size:]
	}
}

// fragment takes a part of a frame. The size in its header is that of the whole frame (RFC 3640 3.2.1.1).
func (a *aac) fragment(pkt *rtp.Packet, sizes []int, data []byte, arrived time.Time) {
	if a.want == 0 {
		a.want, a.part = sizes[0], nil
		a.u = unit{timestamp: pkt.Timestamp, first: arrived}
	}
	a.part = append(a.part, data...)
	if len(sizes) != 1 || pkt.Timestamp != a.u.timestamp || len(data) == 0 || a.want > maxAACFrame || len(a.part) > a.want {
		a.lost()
		a.sink.broken()
		return
	}
	if len(a.part) < a.want {
		return
	}
	u := a.u
	u.data, u.last = [][]byte{a.part}, arrived
	a.lost()
	a.sink.finished(u)
}

// headers reads the AU header section (RFC 3640 3.2.1).
func (a *aac) headers(b []byte) (sizes []int, data []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	total := int(b[0])<<8 | int(b[1])
	b = b[2:]
	section := (total + 7) / 8
	if total == 0 || section > len(b) {
		return nil, nil, false
	}
	for pos, index := 0, a.indexBits; total-pos >= a.sizeBits+index; index = a.deltaBits {
		if bits.HasSpace(b[:section], pos, a.sizeBits+index) != nil || len(sizes) == maxAACFrames {
			return nil, nil, false
		}
		sizes = append(sizes, int(bits.ReadBitsUnsafe(b, &pos, a.sizeBits)))
		if index > 0 && bits.ReadBitsUnsafe(b, &pos, index) != 0 {
			return nil, nil, false
		}
	}
	return sizes, b[section:], len(sizes) > 0
}
