package turn

import (
	"strconv"
	"testing"
	"time"
)

// G4: an id is revoked until its credentials have expired, and no longer.
func TestRevokedIsForgotten(t *testing.T) {
	began := time.Unix(1700000000, 0)
	cases := []struct {
		name  string
		until []time.Duration // of each Revoke at the beginning
		after time.Duration
		held  bool
	}{
		{"for as long as it is valid", []time.Duration{time.Hour}, time.Hour, true},
		{"with some leeway", []time.Duration{time.Hour}, time.Hour + clockLeeway, true},
		{"no longer", []time.Duration{time.Hour}, time.Hour + clockLeeway + time.Second, false},
		{"the later one counts", []time.Duration{time.Hour, 2 * time.Hour}, 2 * time.Hour, true},
		{"also if it comes first", []time.Duration{2 * time.Hour, time.Hour}, 2 * time.Hour, true},
		{"and is forgotten, too", []time.Duration{time.Hour, 2 * time.Hour, time.Hour}, 2*time.Hour + 2*clockLeeway, false},
		{"what has expired", []time.Duration{-time.Hour}, 0, false},
		{"a day at most", []time.Duration{1000 * time.Hour}, farthestExpiry + 2*clockLeeway, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var r revoked
			for _, until := range c.until {
				r.add("x", began.Add(until), began)
			}
			now := began.Add(c.after)
			for range 2 {
				r.add("gone", now.Add(-time.Hour), now) // whoever comes has others forgotten
			}
			if r.has("x") != c.held || r.has("gone") {
				t.Errorf("held is %v", !c.held)
			}
			if want := map[bool]int{true: 1}[c.held]; len(r.until) != want || len(r.ends) < want {
				t.Errorf("%d ids, %d ends", len(r.until), len(r.ends))
			}
		})
	}
}

// A busy gateway holds the sessions of one ttl, not those of a day, and none waits while many are forgotten.
func TestRevokedIsBounded(t *testing.T) {
	const perSecond, ttl = 10, time.Minute
	var r revoked
	now, most := time.Unix(1700000000, 0), 0
	for i := range perSecond * 3600 {
		now = now.Add(time.Second / perSecond)
		before := len(r.until)
		r.add(strconv.Itoa(i), now.Add(ttl), now)
		if before-len(r.until) > 1 {
			t.Fatalf("%d are forgotten at once", before-len(r.until)+1)
		}
		most = max(most, len(r.until), len(r.ends))
	}
	if held := perSecond * int((ttl+clockLeeway)/time.Second); most > held+2*perSecond {
		t.Errorf("%d ids are held of %d", most, held)
	}
}
