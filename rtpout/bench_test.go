package rtpout_test

import (
	"fmt"
	"testing"

	"github.com/pion/rtp"

	"sluice/media"
	"sluice/rtpout"
)

// One 720p picture, and a large keyframe.
func BenchmarkCut(b *testing.B) {
	for _, codec := range videoCodecs {
		for _, size := range []int{8 << 10, 100 << 10} {
			b.Run(fmt.Sprintf("codec=%s/bytes=%d", codec, size), func(b *testing.B) {
				au := unitOf(codec, true, size)
				b.ReportAllocs()
				for b.Loop() {
					if len(rtpout.Cut(codec, au, 1)) == 0 {
						b.Fatal("nothing")
					}
				}
			})
		}
	}
}

// One new unit to all its viewers: cut once, numbered for each.
func BenchmarkSend(b *testing.B) {
	for _, viewers := range []int{1, 100} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			senders := make([]*rtpout.Sender, viewers)
			for i := range senders {
				senders[i] = rtpout.NewSender(uint32(i), 96, 90000, 0, 0)
			}
			write := func(*rtp.Header, []byte) error { return nil }
			data := unitOf(media.H264, true, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				u := hubUnitOf(data)
				for _, s := range senders {
					if err := s.Send(u, write); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/unit")
		})
	}
}
