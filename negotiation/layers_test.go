package negotiation

import (
	"fmt"
	"strings"
	"testing"
)

// J45: what an offer of the greatest size costs to read does not grow with the square of its RIDs.
func BenchmarkReadRIDs(b *testing.B) {
	for _, n := range []int{1000, 8000} {
		b.Run(fmt.Sprintf("rids=%d", n), func(b *testing.B) {
			var order strings.Builder
			for i := range n {
				fmt.Fprintf(&order, "%x;", i)
			}
			attrs := attributes{{key: "rid", value: "0 send"}, {key: "simulcast", value: "send " + order.String()}}
			b.ReportAllocs()
			for b.Loop() {
				s := Section{}
				if s.readRIDs(attrs); len(s.RIDs) != 1 {
					b.Fatalf("%d layers", len(s.RIDs))
				}
			}
		})
	}
}
