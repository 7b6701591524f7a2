package rtpin

import (
	"encoding/hex"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpfragmented"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"sluice/media"
)

// latm is the depacketizer of MP4A-LATM (RFC 6416 6) for streams of one program and one layer.
type latm struct {
	sink      sink
	clockRate int
	inBand    bool // the configuration comes with the frames
	mux       *mpeg4audio.StreamMuxConfig
	config    []byte // AudioSpecificConfig in mux
	step      uint32
	decoder   rtpfragmented.Decoder
	size      int
	packets   int
	first     time.Time
}

func newLATM(t *media.Track, s sink) *latm {
	l := &latm{sink: s, clockRate: t.ClockRate, inBand: t.FMTP["cpresent"] == "1"}
	var mux mpeg4audio.StreamMuxConfig
	if b, err := hex.DecodeString(t.FMTP["config"]); err == nil && mux.Unmarshal(b) == nil {
		l.adopt(&mux)
	}
	if len(t.ParameterSets) == 0 && l.config != nil {
		t.ParameterSets = [][]byte{l.config}
	}
	return l
}

// adopt takes a configuration if it is one that can be followed.
func (l *latm) adopt(mux *mpeg4audio.StreamMuxConfig) {
	if mux == l.mux || len(mux.Programs) != 1 || len(mux.Programs[0].Layers) != 1 {
		return
	}
	c := mux.Programs[0].Layers[0].AudioSpecificConfig
	if c == nil || c.SampleRate <= 0 {
		return
	}
	b, err := c.Marshal()
	if err != nil {
		return
	}
	l.mux, l.config, l.step = mux, b, frameTicks(c, l.clockRate)
}

func (l *latm) lost() {
	l.decoder = rtpfragmented.Decoder{}
	l.size, l.packets = 0, 0
}

func (l *latm) push(pkt *rtp.Packet, arrived time.Time) {
	if l.packets == 0 {
		l.first = arrived
	}
	l.packets++
	if l.size += len(pkt.Payload); l.size > maxAACFrame || l.packets > maxUnitPackets {
		l.fail()
		return
	}
	b, err := l.decoder.Decode(pkt)
	if unfinished(err) {
		return
	}
	if err != nil {
		l.fail()
		return
	}
	l.size, l.packets = 0, 0
	l.element(b, unit{timestamp: pkt.Timestamp, first: l.first, last: arrived})
}

func (l *latm) fail() {
	l.lost()
	l.sink.broken()
}

// element reads one AudioMuxElement, which holds one frame or more.
func (l *latm) element(b []byte, u unit) {
	e := mpeg4audio.AudioMuxElement{MuxConfigPresent: l.inBand, StreamMuxConfig: l.mux}
	if e.Unmarshal(b) != nil {
		l.fail()
		return
	}
	l.adopt(e.StreamMuxConfig)
	u.config = l.config
	for _, frame := range e.Payloads {
		if len(frame) == 1 && len(frame[0]) == 1 && len(frame[0][0]) > 0 {
			u.data = [][]byte{frame[0][0]}
			l.sink.finished(u)
		}
		u.timestamp += l.step
	}
}
