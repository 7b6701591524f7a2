package rtpout_test

import (
	"fmt"
	"testing"

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
