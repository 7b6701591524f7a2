package transcode

import (
	"testing"
	"time"

	"sluice/hub"
	"sluice/media"
)

// That the source is gone may be noticed when it is back already.
func TestSuspendedTooLate(t *testing.T) {
	h, err := hub.New(hub.Options{}).Create("door")
	if err != nil {
		t.Fatal(err)
	}
	stream := newService(Options{Log: quietLog()}, newPuppets(t), &oneEncoder{}).Stream(h, StreamOptions{Log: quietLog()})
	d := newDerivation(stream, order{name: "main:h264", source: "main"})
	pictures := func(source uint32) (delivered int) {
		p, err := h.Publish("main", []media.Track{h264})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		sub, err := h.Subscribe("main:h264", hub.StartKeyframe)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		for range 2 {
			au := &media.AccessUnit{Arrived: time.Now(), Keyframe: true, Data: [][]byte{{1}}}
			d.deliver(unit{source: source, track: &h264, AccessUnit: au})
			d.suspend(source - 1)
		}
		for _, ok := sub.TryNext(); ok; _, ok = sub.TryNext() {
			delivered++
		}
		return delivered
	}
	equal(t, "of the first publisher", pictures(1), 2)
	equal(t, "the newest", d.newest(), 1)
	equal(t, "of the second", pictures(2), 2)
	d.suspend(d.newest())
	equal(t, "renditions when it is gone too", len(h.Derived()), 0)
	equal(t, "of who is gone", pictures(2), 0)
}
