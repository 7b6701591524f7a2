package transport

import (
	"fmt"
	"strings"
	"testing"
)

// datagrams are some of the given sizes, each told apart by its beginning.
func datagrams(sizes ...int) []string {
	all := make([]string, len(sizes))
	for i, size := range sizes {
		head := fmt.Sprintf("%06d", i)
		all[i] = (head + strings.Repeat("x", size))[:size]
	}
	return all
}

func repeat(n, size int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = size
	}
	return all
}

func add(b *Batch, datagrams ...string) {
	for _, d := range datagrams {
		b.Add(copy(b.Buffer(), d))
	}
}

func TestBatchDelivers(t *testing.T) {
	for name, c := range map[string]struct {
		sizes    []int
		messages uint64 // with GSO
	}{
		"one":                         {[]int{100}, 1},
		"a run":                       {repeat(10, 1188), 1},
		"a run with a shorter last":   {append(repeat(10, 1188), 300), 1},
		"nothing after a shorter one": {[]int{1188, 300, 1188}, 2},
		"larger ones begin anew":      {[]int{100, 200, 300}, 3},
		"more than 64 segments":       {repeat(65, 100), 2},
		"more than 64 KB":             {repeat(60, 1400), 2},
		"more than a slab":            {repeat(400, 1200), 9},
		"of the largest size":         {repeat(3, MaxDatagram), 1},
		"of one byte":                 {repeat(3, 6), 1},
	} {
		for _, gso := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/gso=%t", name, gso), func(t *testing.T) {
				p := listen(t, Options{GSO: gso})
				v := viewer(t, "127.0.0.1:0")
				d := p.NewDestination(Path{Remote: addrOf(v)})
				b := p.NewBatch()
				b.To(d)
				want := datagrams(c.sizes...)
				add(b, want...)
				b.Flush()
				for i := range want {
					got, from := receive(t, v)
					if got != want[i] || from != p.Addr() {
						t.Fatalf("datagram %d is %d bytes beginning %.6q from %v", i, len(got), got, from)
					}
				}
				nothing(t, v)
				messages := uint64(len(want))
				if p.Stats().GSO {
					messages = c.messages
				}
				if s := p.Stats().Sent; s.Messages != messages || s.Datagrams != uint64(len(want)) {
					t.Errorf("counted %+v, want %d messages", s, messages)
				}
				if d.Lost() != 0 || d.Fault() != nil {
					t.Errorf("%d lost: %v", d.Lost(), d.Fault())
				}
			})
		}
	}
}
