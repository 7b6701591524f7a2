package rtpout_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/media"
	"sluice/rtpout"
)

// drain takes all packets that are due and returns how many there were.
func drain(t testing.TB, p *rtpout.Player, now time.Time) int {
	t.Helper()
	var buf [1500]byte
	for packets := 0; ; packets++ {
		n, err := p.Next(now, buf[:])
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return packets
		}
	}
}

// players are viewers of one stream, which has sent them a GOP.
func players(t testing.TB, s *stage, n int) []*rtpout.Player {
	t.Helper()
	all := make([]*rtpout.Player, n)
	for i := range all {
		p, err := rtpout.NewPlayer(rtpout.Feed{Stream: s.stream, Rendition: "main"}, s, s.outgoing(), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		all[i] = p
	}
	s.play(100, 50)
	for _, p := range all {
		drain(t, p, s.now)
	}
	return all
}

// In steady state nothing is allocated for a packet, a resend or a report.
func TestPlayingAllocatesNothing(t *testing.T) {
	for _, codec := range videoCodecs {
		s := newStage(t, codec)
		s.play(10, 100)
		p := players(t, s, 2)
		const runs = 50
		s.play(runs+1, 100)
		other := p[1]
		for n := drain(t, other, s.now); n > 0; n = drain(t, other, s.now) { // cuts the payloads
			s.now = s.now.Add(time.Second)
		}
		sequence := uint16(0)
		now := s.now
		var buf [1500]byte
		packets, resends, reports := 0, 0, 0
		n := testing.AllocsPerRun(runs, func() {
			now = now.Add(time.Second)
			for n, err := p[0].Next(now, buf[:]); n > 0; n, err = p[0].Next(now, buf[:]) {
				if err != nil {
					t.Fatal(err)
				}
				packets++
				if buf[1]&0x7F == videoPT {
					sequence = uint16(buf[2])<<8 | uint16(buf[3])
				}
				if packets > 500 {
					break
				}
			}
			p[0].WantKeyframe(now)
			p[0].Loss(0.1)
			p[0].Nack(now, videoSSRC, sequence)
			if p[0].NextResend(now, buf[:]) > 0 {
				resends++
			}
			if p[0].Reports(now, buf[:]) > 0 {
				reports++
			}
			p[0].Due()
			p[0].Stats()
		})
		if n != 0 || packets < 200 || resends < runs/2 || reports < runs {
			t.Errorf("%s: %v allocations for %d packets, %d resends and %d reports", codec, n, packets, resends, reports)
		}
	}
}

// One picture of 2 Mbit/s to all viewers: eight packets.
func BenchmarkNext(b *testing.B) {
	for _, viewers := range []int{1, 100} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			s := newStage(b, media.H264)
			all := players(b, s, viewers)
			slab := make([]byte, 256<<10)
			au := unitOf(media.H264, false, 8<<10)
			packets, at := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				s.now = s.now.Add(33 * time.Millisecond)
				picture := *au
				picture.PTS, picture.Arrived = media.PTS(s.now, 90000), s.now
				if err := s.source.Write("video", &picture); err != nil {
					b.Fatal(err)
				}
				for _, p := range all {
					for {
						if at+1500 > len(slab) {
							at = 0
						}
						n, err := p.Next(s.now, slab[at:at+1500])
						if err != nil {
							b.Fatal(err)
						}
						if n == 0 {
							break
						}
						at += n
						packets++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}
