package hub_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
)

// Delivering a unit to a subscriber allocates nothing.
func TestDeliveryAllocatesNothing(t *testing.T) {
	s := newStream(t, hub.Options{})
	p := publish(t, s, "main", video)
	sub := subscribe(t, s, "main", hub.StartKeyframe)
	for range 1000 {
		write(t, p, "video", true)
	}
	n := testing.AllocsPerRun(900, func() {
		if _, err := sub.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per delivered unit", n)
	}
}

// One unit written and read by all.
func BenchmarkDeliver(b *testing.B) {
	for _, viewers := range []int{1, 100} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			s := newStream(b, hub.Options{})
			p := publish(b, s, "main", video)
			subs := make([]*hub.Subscriber, viewers)
			for i := range subs {
				subs[i] = subscribe(b, s, "main", hub.StartKeyframe)
			}
			data := [][]byte{make([]byte, 8000)}
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Write("video", &media.AccessUnit{Arrived: time.Now(), Keyframe: true, Data: data}); err != nil {
					b.Fatal(err)
				}
				for _, sub := range subs {
					if _, ok := sub.TryNext(); !ok {
						b.Fatal("nothing to read")
					}
				}
			}
		})
	}
}
