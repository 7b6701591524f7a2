package negotiation

import (
	"runtime"
	"testing"

	"sluice/media"
)

// What an offer of Chromium costs from its text to the answer's.
func BenchmarkAnswer(b *testing.B) {
	text := fixtures(b)["chromium-play"]
	source := []media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}
	b.ReportAllocs()
	for b.Loop() {
		offer, err := ParseOffer(text, RolePlay)
		if err != nil {
			b.Fatal(err)
		}
		plan, err := Decide(source, offer, Policy{}, Capacity{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := MakeAnswer(offer, AnswerOptions{Plan: plan, StreamID: "cam"}, ownTransport(plan)); err != nil {
			b.Fatal(err)
		}
	}
}

// A viewer's offer is kept for as long as its session lives, and must not keep the text alive.
func TestOfferMemory(t *testing.T) {
	const offers, most = 500, 12 << 10 // bytes each
	text := fixtures(t)["chromium-play"]
	kept := make([]*Offer, offers)
	before := heap()
	for i := range kept {
		kept[i] = mustParse(t, string([]byte(text)), RolePlay)
	}
	each := (heap() - before) / offers
	runtime.KeepAlive(kept)
	t.Logf("%d bytes each", each)
	if each > most {
		t.Errorf("an offer keeps %d bytes; at most %d are wanted", each, most)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
