package rtpout_test

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"sluice/hub"
	"sluice/media"
	"sluice/rtpout"
)

const (
	videoSSRC, audioSSRC, rtxSSRC = 1001, 1002, 1003
	videoPT, audioPT, rtxPT       = 96, 111, 97
	delayID                       = 5
)

// stage is a source, a viewer, and the clock of both.
type stage struct {
	t      testing.TB
	codec  media.Codec
	stream *hub.Stream
	source *hub.Publisher
	player *rtpout.Player
	now    time.Time
	number int // of the picture that is written next, from 1
	size   int // of pictures

	got []packet // all that the viewer was sent
	buf [1500]byte
}

// packet is one as the viewer gets it.
type packet struct {
	rtp.Packet
	raw []byte
	at  time.Time
}

// Wake implements hub.Waker: the viewer looks after each unit anyway.
func (s *stage) Wake() {}

func newStage(t testing.TB, codec media.Codec) *stage {
	t.Helper()
	stream, err := hub.New(hub.Options{}).Create("cam")
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, codec: codec, stream: stream, now: media.Epoch().Add(time.Hour), number: 1, size: 5000}
	s.publish()
	return s
}

func (s *stage) tracks() (video, audio media.Track) {
	return media.Track{ID: "video", Kind: media.Video, Codec: s.codec, ClockRate: 90000},
		media.Track{ID: "audio", Kind: media.Audio, Codec: media.Opus, ClockRate: 48000, Channels: 2}
}

func (s *stage) publish() {
	s.t.Helper()
	video, audio := s.tracks()
	source, err := s.stream.Publish("main", []media.Track{video, audio})
	if err != nil {
		s.t.Fatal(err)
	}
	s.source = source
}

func (s *stage) outgoing() []rtpout.Outgoing {
	video, audio := s.tracks()
	return []rtpout.Outgoing{
		{Track: video, SSRC: videoSSRC, PayloadType: videoPT, RTX: rtxPT, RTXSSRC: rtxSSRC, NACK: true, PlayoutDelay: delayID},
		{Track: audio, SSRC: audioSSRC, PayloadType: audioPT},
	}
}

// join begins to watch.
func (s *stage) join(start hub.Start) {
	s.t.Helper()
	s.joinWith(rtpout.Feed{Stream: s.stream, Rendition: "main", Start: start}, s.outgoing())
}

func (s *stage) joinWith(f rtpout.Feed, all []rtpout.Outgoing) {
	s.t.Helper()
	player, err := rtpout.NewPlayer(f, s, all, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.player = player
	s.t.Cleanup(player.Close)
	s.watch()
}

// picture writes one that bears its number.
func (s *stage) picture(key bool) {
	s.t.Helper()
	s.pictureTo(s.source, key)
}

func (s *stage) pictureTo(p *hub.Publisher, key bool) {
	s.t.Helper()
	au := unitOf(s.codec, key, s.size)
	putNumber(au.Data[0], s.number, key)
	s.number++
	au.PTS, au.Arrived = media.PTS(s.now, 90000), s.now
	if err := p.Write("video", au); err != nil {
		s.t.Fatal(err)
	}
	s.watch()
}

// sound writes 20 ms.
func (s *stage) sound() {
	s.t.Helper()
	au := &media.AccessUnit{PTS: media.PTS(s.now, 48000), Arrived: s.now, Keyframe: true, Data: [][]byte{{0xFC, 1, 2}}}
	if err := s.source.Write("audio", au); err != nil {
		s.t.Fatal(err)
	}
	s.watch()
}

// play lets a camera of 25 fps run for so many pictures: the first and each gop-th after it are keyframes.
func (s *stage) play(pictures, gop int) {
	s.t.Helper()
	for i := range pictures {
		s.sound()
		s.picture(i%gop == 0)
		s.pass(20 * time.Millisecond)
		s.sound()
		s.pass(20 * time.Millisecond)
	}
}

// pass lets time go by, during which the viewer gets what is due.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	end := s.now.Add(d)
	for s.player != nil {
		due, ok := s.player.Due()
		if !ok || due.After(end) {
			break
		}
		if due.After(s.now) {
			s.now = due
		}
		before := s.now
		s.watch()
		if next, again := s.player.Due(); again && !next.After(before) {
			s.t.Fatalf("due at %v although nothing came at %v", next, before)
		}
	}
	s.now = end
	s.watch()
}

// watch takes all that is due now.
func (s *stage) watch() {
	s.t.Helper()
	for s.player != nil {
		n, err := s.player.Next(s.now, s.buf[:])
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 0 {
			return
		}
		s.got = append(s.got, s.parse(s.buf[:n]))
	}
}

// parse reads a packet as an independent reader does.
func (s *stage) parse(b []byte) packet {
	s.t.Helper()
	p := packet{raw: append([]byte(nil), b...), at: s.now}
	if err := p.Unmarshal(p.raw); err != nil {
		s.t.Fatal(err)
	}
	if len(b) > rtpout.MaxPacket { // F20
		s.t.Errorf("a packet of %d bytes", len(b))
	}
	return p
}

// of is what was sent under an SSRC.
func (s *stage) of(ssrc uint32) (all []packet) {
	for _, p := range s.got {
		if p.SSRC == ssrc {
			all = append(all, p)
		}
	}
	return all
}

// seen is a picture as a viewer gets it.
type seen struct {
	number    int
	key       bool
	timestamp uint32
	packets   []packet
}

// pictures puts together what was sent, and fails if a sequence number is missing (F26), a part, or a playout delay.
func (s *stage) pictures() (all []seen) {
	s.t.Helper()
	decode := s.decoder()
	packets := s.of(videoSSRC)
	from := 0
	for i := range packets {
		p := &packets[i]
		if i > 0 && p.SequenceNumber != packets[i-1].SequenceNumber+1 {
			s.t.Fatalf("sequence number %d after %d", p.SequenceNumber, packets[i-1].SequenceNumber)
		}
		if p.Timestamp != packets[from].Timestamp {
			s.t.Fatalf("two timestamps in one picture: %d and %d", packets[from].Timestamp, p.Timestamp)
		}
		parts, err := decode(&p.Packet)
		if !p.Marker {
			continue
		}
		if err != nil || len(parts) != 1 {
			s.t.Fatalf("picture %d: %d parts, %v", len(all), len(parts), err)
		}
		one := seen{numberOf(parts[0]), parts[0][numberAt-1] == keyMark, p.Timestamp, packets[from : i+1]}
		s.checkDelay(one)
		all, from = append(all, one), i+1
	}
	return all
}

func (s *stage) decoder() depacketizer {
	t, ok := s.t.(*testing.T)
	if !ok {
		s.t.Fatal("only tests look at pictures")
	}
	return depacketizers(t, s.codec)["gortsplib"]
}

// checkDelay wants the playout delay {0, 0} on all packets of keyframes, and no other.
func (s *stage) checkDelay(one seen) {
	s.t.Helper()
	for _, p := range one.packets {
		if got := p.GetExtension(delayID); (got != nil) != one.key || one.key && string(got) != "\x00\x00\x00" {
			s.t.Fatalf("picture %d, a keyframe: %v, has playout delay %x", one.number, one.key, got)
		}
	}
}

// Where a part bears the number of its picture, behind all headers, and whether it is a keyframe.
const (
	numberAt = 30
	keyMark  = 0xEE
)

// putNumber writes without a zero.
func putNumber(part []byte, n int, key bool) {
	if part[numberAt-1] = 1; key {
		part[numberAt-1] = keyMark
	}
	part[numberAt], part[numberAt+1] = byte(1+n/250), byte(1+n%250)
}

func numberOf(part []byte) int { return int(part[numberAt]-1)*250 + int(part[numberAt+1]-1) }
