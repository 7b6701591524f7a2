package rtpin

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"

	"sluice/media"
)

func aacTrack(fmtp map[string]string) media.Track {
	t := audioTrack(media.AAC, 48000)
	t.FMTP = fmtp
	t.ParameterSets = [][]byte{{0x11, 0x88}} // AAC-LC, 48 kHz, mono
	return t
}

// RFC 3640: frames whole, several, in parts, and lies about them.
func TestAACPackets(t *testing.T) {
	hbr := map[string]string{"mode": "AAC-hbr", "sizelength": "13", "indexlength": "3", "indexdeltalength": "3"}
	lbr := map[string]string{"mode": "AAC-lbr", "sizelength": "6", "indexlength": "2", "indexdeltalength": "2"}
	for _, c := range []struct {
		name  string
		fmtp  map[string]string
		steps []step
		want  string
	}{
		{"one frame", hbr, []step{{1, true, "\x00\x10\x00\x10ab", false}}, "6162@1"},
		{"no format parameters", nil, []step{{1, true, "\x00\x10\x00\x10ab", false}}, "6162@1"},
		{"no marker", hbr, []step{{1, false, "\x00\x10\x00\x10ab", false}}, "6162@1"},
		{"two frames", hbr, []step{{1, true, "\x00\x20\x00\x10\x00\x08abc", false}}, "6162@1|63@1025"},
		{"low bit rate", lbr, []step{{1, true, "\x00\x10\x08\x04abc", false}}, "6162@1|63@1025"},
		{"in two parts", hbr, []step{{1, false, "\x00\x10\x00\x20ab", false}, {1, true, "\x00\x10\x00\x20cd", false}}, "61626364@1"},
		{"part lost", hbr, []step{{1, false, "\x00\x10\x00\x20ab", false}, {2, true, "\x00\x10\x00\x10cd", true}}, "6364@2"},
		{"part at another time", hbr, []step{{1, false, "\x00\x10\x00\x20ab", false}, {2, true, "\x00\x10\x00\x20cd", false}}, "!"},
		{"part too long", hbr, []step{{1, false, "\x00\x10\x00\x20ab", false}, {1, true, "\x00\x10\x00\x20cdef", false}}, "!"},
		{"no header", hbr, []step{{1, true, "\x00\x00ab", false}}, "!"},
		{"header overrun", hbr, []step{{1, true, "\xff\xff\x00\x10ab", false}}, "!"},
		{"interleaved", hbr, []step{{1, true, "\x00\x10\x00\x11ab", false}}, "!"},
		{"1 byte", hbr, []step{{1, true, "\x00", false}}, "!"},
		{"second frame overrun", hbr, []step{{1, true, "\x00\x20\x00\x08\x00\x20abc", false}}, "61@1|!"},
		{"size of no bits", map[string]string{"sizelength": "0"}, []step{{1, true, "\x00\x10\xff\xffab", false}}, "61@1|62@1025|!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &timed{}
			track := aacTrack(c.fmtp)
			d, err := newDepacketizer(&track, r)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range c.steps {
				if s.lost {
					d.lost()
				}
				d.push(packet(uint16(i), s.ts, s.marker, []byte(s.payload)...), start)
			}
			if got := strings.Join(r.got, "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// timed is record with the timestamp of each unit.
type timed struct{ record }

func (r *timed) finished(u unit) {
	r.record.finished(u)
	r.got[len(r.got)-1] += fmt.Sprintf("@%d", u.timestamp)
}

// MP4A-LATM, its configuration in the signalling or in band; the track learns it.
func TestLATM(t *testing.T) {
	mux := &mpeg4audio.StreamMuxConfig{Programs: []*mpeg4audio.StreamMuxConfigProgram{{
		Layers: []*mpeg4audio.StreamMuxConfigLayer{{
			AudioSpecificConfig: &mpeg4audio.AudioSpecificConfig{Type: 2, SampleRate: 48000, ChannelCount: 1},
			LatmBufferFullness:  255,
		}},
	}}}
	config, err := mux.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		fmtp   map[string]string
		inBand bool
		rate   int
	}{
		{"signalled", map[string]string{"cpresent": "0", "config": fmt.Sprintf("%x", config)}, false, 48000},
		{"cpresent left out", map[string]string{"config": fmt.Sprintf("%x", config)}, false, 48000},
		{"in band", map[string]string{"cpresent": "1"}, true, 90000},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := mpeg4audio.AudioMuxElement{
				MuxConfigPresent: c.inBand, StreamMuxConfig: mux, Payloads: [][][][]byte{{{[]byte("frame")}}},
			}
			payload, err := e.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			track := audioTrack(media.AAC, c.rate)
			track.FMTP = c.fmtp
			h := newHarness(t, Options{Track: track})
			h.send(1, false, payload[:3]...)
			h.send(1, true, payload[3:]...)
			if len(h.units) != 1 || string(h.units[0].Data[0]) != "frame" {
				t.Fatalf("%d units", len(h.units))
			}
			if len(h.tracks) != 1 || !bytes.Equal(h.tracks[0].ParameterSets[0], []byte{0x11, 0x88}) {
				t.Errorf("the track did not learn its configuration: %+v", h.tracks)
			}
			h.send(2, true, bytes.Repeat([]byte{0xff}, 2000)...)
			h.send(3, true, slices.Repeat([]byte{0}, 20000)...)
			if s := h.Stats(); s.Malformed != 2 || len(h.units) != 1 {
				t.Errorf("hostile elements: %+v", s)
			}
		})
	}
}
