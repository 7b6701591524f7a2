package e2e

import (
	"testing"

	"sluice/media"
)

// networkTries is how often somebody watches where packets cross networks: the burst that a viewer begins with may lose
// some in a buffer of a machine that does much else, and this viewer asks for none again.
const networkTries = 3

// playOver has viewers watch until one has got every packet; seen looks at each of them while it watches.
func playOver(t *testing.T, watch func() *viewer, seen func(*viewer)) {
	t.Helper()
	for try := 1; ; try++ {
		v := watch()
		v.awaitFrames(t, 30)
		seen(v)
		v.close()
		if try == networkTries || v.hasEverything() {
			v.checkVideo(t, media.H264, 30)
			return
		}
	}
}

// hasEverything reports that no packet of the picture is missing.
func (v *viewer) hasEverything() bool {
	packets := v.snapshot(media.Video).packets
	for i := 1; i < len(packets); i++ {
		if packets[i].SequenceNumber != packets[i-1].SequenceNumber+1 {
			return false
		}
	}
	return true
}
