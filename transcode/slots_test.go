package transcode

import "testing"

// One wish ends one idle encoder, though it is looked at again and again until that has gone.
func TestOneIdleEncoderGoes(t *testing.T) {
	freed := 0
	s := newSlots(3, func() { freed++ })
	var all []*slot
	for range 3 {
		all = append(all, s.take())
	}
	for _, one := range all {
		one.setIdle(true)
	}
	told := func() (n int) {
		for _, one := range all {
			n += len(one.wanted)
		}
		return n
	}
	for range 10 {
		if s.hasRoom() || s.take() != nil {
			t.Fatal("there is room before one has gone")
		}
	}
	equal(t, "told to go", told(), 1)

	var busy *slot
	for _, one := range all {
		if len(one.wanted) == 1 {
			busy = one
		}
	}
	<-busy.wanted
	busy.setIdle(false)
	freed = 0
	equal(t, "it goes though somebody watches again", busy.yields(), false)
	equal(t, "others look again", freed, 1)
	s.hasRoom()
	equal(t, "another one is told", told(), 1)
	for _, one := range all {
		if len(one.wanted) == 1 {
			equal(t, "goes", one.yields(), true)
			one.release()
		}
	}
	equal(t, "room", s.hasRoom(), true)
}
