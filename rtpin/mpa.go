package rtpin

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"sluice/bitstream"
	"sluice/media"
)

// mpaHeader is what stands before the frames of a packet: 16 bits of nothing, and 16 bits that say at which byte of
// its frame a part begins (RFC 2250 3.5).
const mpaHeader = 4

// mpa is the depacketizer of MPEG audio (RFC 2250 3.5): a packet holds whole frames, or a part of one. The marker is
// not asked, since senders disagree on it; frames tell how long they are.
type mpa struct {
	sink  sink
	clock int // Hz, of timestamps

	u    unit // a frame in several packets
	part []byte
	want int // its size, 0 between frames
}

func newMPA(t *media.Track, s sink) *mpa { return &mpa{sink: s, clock: t.ClockRate} }

func (m *mpa) lost() { m.part, m.want = nil, 0 }

func (m *mpa) push(pkt *rtp.Packet, arrived time.Time) {
	if len(pkt.Payload) <= mpaHeader {
		m.fail()
		return
	}
	offset, data := int(binary.BigEndian.Uint16(pkt.Payload[2:])), pkt.Payload[mpaHeader:]
	switch {
	case offset > 0 && m.want > 0:
		m.goOn(offset, data, arrived)
	case offset > 0: // the rest of a frame that began before a loss, or before us
	default:
		if m.want > 0 {
			m.fail()
		}
		m.frames(pkt.Timestamp, data, arrived)
	}
}

func (m *mpa) fail() {
	m.lost()
	m.sink.broken()
}

// frames takes what begins with a frame. The timestamp is that of the first.
func (m *mpa) frames(timestamp uint32, data []byte, arrived time.Time) {
	for ticks, first := int64(0), true; len(data) > 0; first = false {
		f, ok := bitstream.ParseMPEGAudioFrame(data)
		u := unit{timestamp: timestamp + uint32(ticks), first: arrived, last: arrived}
		switch {
		case !ok || f.Size > len(data) && !first:
			m.fail()
			return
		case f.Size > len(data):
			m.u, m.part, m.want = u, append([]byte(nil), data...), f.Size
			return
		}
		u.data = [][]byte{data[:f.Size]}
		m.sink.finished(u)
		ticks += int64(f.Samples) * int64(m.clock) / int64(f.SampleRate)
		data = data[f.Size:]
	}
}

// goOn takes a part of a frame that has begun.
func (m *mpa) goOn(offset int, data []byte, arrived time.Time) {
	m.part = append(m.part, data...)
	if offset != len(m.part)-len(data) || len(m.part) > m.want {
		m.fail()
		return
	}
	if len(m.part) < m.want {
		return
	}
	u := m.u
	u.data, u.last = [][]byte{m.part}, arrived
	m.lost()
	m.sink.finished(u)
}
