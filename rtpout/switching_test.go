package rtpout_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

// wire is what a viewer got of one picture.
type wire struct {
	first, last uint16 // sequence numbers
	timestamp   uint32
	picture     uint16
}

// viewer reads one rendition after the other and keeps what goes out.
type viewer struct {
	t      *testing.T
	codec  media.Codec
	sub    *hub.Subscriber
	sender *rtpout.Sender
	got    []wire
}

func (v *viewer) pump() {
	v.t.Helper()
	for {
		u, ok := v.sub.TryNext()
		if !ok {
			return
		}
		w := wire{}
		for i, p := range packets(v.t, v.sender, u) {
			id := v.pictureID(p.Payload)
			if i == 0 {
				w = wire{p.SequenceNumber, p.SequenceNumber, p.Timestamp, id}
			} else if p.SequenceNumber != w.last+1 || p.Timestamp != w.timestamp || id != w.picture {
				v.t.Errorf("packet %d of a picture: %+v, picture ID %d after %+v", i, p.Header, id, w)
			}
			w.last = p.SequenceNumber
		}
		v.got = append(v.got, w)
	}
}

// pictureID reads it as an independent reader does.
func (v *viewer) pictureID(payload []byte) uint16 {
	v.t.Helper()
	switch v.codec {
	case media.VP8:
		p := &codecs.VP8Packet{}
		if _, err := p.Unmarshal(payload); err != nil || p.I != 1 {
			v.t.Fatalf("%x: %v", payload[:4], err)
		}
		return p.PictureID
	case media.VP9:
		p := &codecs.VP9Packet{}
		if _, err := p.Unmarshal(payload); err != nil || !p.I {
			v.t.Fatalf("%x: %v", payload[:4], err)
		}
		return p.PictureID
	default:
		return 0
	}
}

// F26, F32: from layer to layer and back, sequence numbers and picture IDs count on without a gap and timestamps
// rise, although the layers' clocks are apart.
func TestSwitchingLayers(t *testing.T) {
	for _, codec := range []media.Codec{media.H264, media.VP8, media.VP9} {
		t.Run(string(codec), func(t *testing.T) {
			stream, err := hub.New(hub.Options{}).Create("cam")
			if err != nil {
				t.Fatal(err)
			}
			track := media.Track{ID: "video", Kind: media.Video, Codec: codec, ClockRate: 90000}
			layers := []string{"h", "m", "l"}
			late := map[string]int64{"h": 0, "m": 1500, "l": 4000} // ticks
			publishers := map[string]*hub.Publisher{}
			for i, name := range layers {
				if publishers[name], err = stream.Publish(name, []media.Track{track}); err != nil {
					t.Fatal(err)
				}
				for range 100 * i { // so that the layers count differently
					write(t, publishers[name], -1, true, codec)
				}
			}
			sub, err := stream.Subscribe("h", hub.StartKeyframe)
			if err != nil {
				t.Fatal(err)
			}
			defer sub.Close()
			v := &viewer{t: t, codec: codec, sub: sub, sender: rtpout.NewSender(1, 96, 90000, 65500, 1<<32-9000)}
			for i := range 120 {
				for j, name := range layers {
					write(t, publishers[name], int64(i)*3000-late[name], i%10 == j, codec)
				}
				if i%15 == 14 {
					sub.SelectRendition(layers[i/15%3])
				}
				v.pump()
			}
			v.check(115)
		})
	}
}

func write(t *testing.T, p *hub.Publisher, pts int64, key bool, codec media.Codec) {
	t.Helper()
	au := unitOf(codec, key, 3000)
	au.PTS, au.Arrived = pts, time.Now()
	if err := p.Write("video", au); err != nil {
		t.Fatal(err)
	}
}

func (v *viewer) check(least int) {
	v.t.Helper()
	if len(v.got) < least {
		v.t.Errorf("%d pictures, want %d", len(v.got), least)
	}
	for i, w := range v.got[1:] {
		before := v.got[i]
		step := int32(w.timestamp - before.timestamp)
		if w.first != before.last+1 || step <= 0 || step > 2*3000+4000 {
			v.t.Fatalf("picture %d: %+v after %+v", i+1, w, before)
		}
		if v.codec != media.H264 && w.picture != (before.picture+1)&0x7FFF {
			v.t.Fatalf("picture %d has ID %d after %d", i+1, w.picture, before.picture)
		}
	}
}

// F26: a source whose clock is behind is held above what was sent, and no longer than needed; the same source may go
// back, for pictures that are shown in another order.
func TestTimestampsOverASwitch(t *testing.T) {
	type unit struct {
		publisher uint32
		pts, want int64
	}
	for name, units := range map[string][]unit{
		"ahead":            {{1, 9000, 9000}, {2, 12000, 12000}, {2, 15000, 15000}},
		"the same moment":  {{1, 9000, 9000}, {2, 9000, 9090}, {2, 12000, 12000}},
		"behind":           {{1, 9000, 9000}, {2, 3000, 9090}, {2, 6000, 9180}, {2, 9000, 9270}, {2, 12000, 12000}},
		"there and back":   {{1, 9000, 9000}, {2, 7000, 9090}, {1, 9080, 9180}, {1, 12000, 12000}},
		"reordered":        {{1, 9000, 9000}, {1, 18000, 18000}, {1, 12000, 12000}, {1, 15000, 15000}},
		"reordered, ahead": {{1, 9000, 9000}, {2, 18000, 18000}, {2, 12000, 12000}},
	} {
		s := rtpout.NewSender(1, 96, 90000, 0, 0)
		for i, u := range units {
			h := hubUnit(media.H264, u.pts, 100)
			h.Publisher = u.publisher
			if got := timestamps(t, s, h)[0]; got != uint32(u.want) {
				t.Errorf("%s, unit %d: %d, want %d", name, i, got, u.want)
			}
		}
	}
}

func timestamps(t *testing.T, s *rtpout.Sender, u *hub.Unit) (all []uint32) {
	t.Helper()
	for _, p := range packets(t, s, u) {
		all = append(all, p.Timestamp)
	}
	return all
}

// sound is a packet of Opus of 20 ms, or of one byte a tick.
func sound(codec media.Codec, pts int64) *hub.Unit {
	data := []byte{0xFC, 1, 2}
	if codec != media.Opus {
		data = make([]byte, 160)
	}
	au := &media.AccessUnit{PTS: pts, Keyframe: true, Data: [][]byte{data}}
	return &hub.Unit{AccessUnit: au, Track: &media.Track{ID: "audio", Kind: media.Audio, Codec: codec}, Count: 1}
}

// D30, F34: sound advances by what its packets last, whatever the source slews; reports follow the slew. Gaps stay
// as long as they are.
func TestSoundAdvancesExactly(t *testing.T) {
	for _, c := range []struct {
		name  string
		pts   []int64
		want  []int64
		shift int64 // that the report tells at the end
	}{
		{"exact", []int64{1000, 1960, 2920}, []int64{1000, 1960, 2920}, 0},
		{"off by one", []int64{1000, 1959, 2920}, []int64{1000, 1960, 2920}, 0},
		{"slewed ahead", []int64{1000, 2200, 3400, 4600}, []int64{1000, 1960, 2920, 3880}, -720},
		{"slewed back", []int64{1000, 1720, 2440, 3160}, []int64{1000, 1960, 2920, 3880}, 720},
		{"one lost", []int64{1000, 1960, 3880, 4840}, []int64{1000, 1960, 3880, 4840}, 0},
		{"one lost after a slew", []int64{1000, 2200, 4120, 5080}, []int64{1000, 1960, 3880, 4840}, -240},
		{"silence", []int64{1000, 2200, 22000, 22960}, []int64{1000, 1960, 22000, 22960}, 0},
		{"silence after being ahead", []int64{20000, 12000, 32000}, []int64{20000, 20960, 32000}, 0},
		{"silence, still ahead", []int64{20000, 8000, 19000}, []int64{20000, 20960, 21920}, 2920},
		{"another source behind", []int64{9000, 8500, 9460}, []int64{9000, 9960, 10920}, 1460},
	} {
		for _, codec := range []media.Codec{media.Opus, media.G722} {
			by := map[media.Codec]int64{media.Opus: 1, media.G722: 6}[codec]
			s := rtpout.NewSender(1, 111, int(48000/by), 0, 77)
			for i, pts := range c.pts {
				if got, want := timestamps(t, s, sound(codec, pts/by))[0], uint32(77+c.want[i]/by); abs(int64(got)-int64(want)) > by-1 {
					t.Errorf("%s, %s, packet %d: %d, want %d", c.name, codec, i, got, want)
				}
			}
			now := media.Epoch().Add(time.Hour)
			shift := int64(s.Timestamp(now)) - 77 - media.PTS(now, int(48000/by))
			if abs(shift-c.shift/by) > 1 {
				t.Errorf("%s, %s: the report is shifted by %d, want %d", c.name, codec, shift, c.shift/by)
			}
		}
	}
}

func abs(n int64) int64 { return max(n, -n) }

// A payload with a picture ID of the viewer's own is made without a change to what is shared.
func TestPictureIDsAreThatOfTheViewer(t *testing.T) {
	for _, codec := range []media.Codec{media.VP8, media.VP9} {
		u := hubUnit(codec, 0, 20_000)
		u.Count = 7
		shared := fmt.Sprint(rtpout.Payloads(u))
		s := rtpout.NewSender(1, 96, 90000, 0, 0)
		for want := uint16(0x8000 | 7); want < 0x8000|100; want++ {
			last := packets(t, s, u)[16].Payload
			at := map[media.Codec]int{media.VP8: 2, media.VP9: 1}[codec]
			if id := binary.BigEndian.Uint16(last[at:]); id != want {
				t.Fatalf("%s: picture ID %#x, want %#x", codec, id, want)
			}
		}
		if fmt.Sprint(rtpout.Payloads(u)) != shared {
			t.Errorf("%s: the shared payloads have changed", codec)
		}
	}
}

// What does not fit for now is left out, without an end and without a gap in the numbers; then the viewer goes on.
func TestUnfitUnitsAreLeftOut(t *testing.T) {
	s := newStage(t, media.VP8)
	fits := true
	s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Check: func(*media.Track) error {
		if !fits {
			return rtpout.ErrUnfit
		}
		return nil
	}}, s.outgoing())
	s.picture(true)
	before := len(s.got)
	fits = false
	changed, _ := s.tracks()
	changed.Width = 640
	if err := s.source.Update(changed); err != nil {
		t.Fatal(err)
	}
	s.picture(true)
	if len(s.got) != before {
		t.Fatalf("%d packets of what does not fit were sent", len(s.got)-before)
	}
	fits = true
	s.picture(true)
	if len(s.got) == before {
		t.Fatal("nothing was sent of what fits again")
	}
	if last, next := s.got[before-1].SequenceNumber, s.got[before].SequenceNumber; next != last+1 {
		t.Errorf("number %d is followed by %d", last, next)
	}
	if st := s.player.Stats(); st.Keyframes != 2 {
		t.Errorf("%d keyframes are counted, want 2", st.Keyframes)
	}
}
