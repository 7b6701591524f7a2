package session

import (
	"sync"
	"testing"
)

// A14: who gets a claim beside another one.
func TestClaims(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		policy        Conflict
		want          Reason
		text          string
	}{
		"the same takes over":             {"ann", "ann", ConflictReplace, "", ""},
		"by default, too":                 {"ann", "ann", "", "", ""},
		"nobody told from anybody else":   {"", "", ConflictReplace, "", ""},
		"somebody else":                   {"ann", "bob", ConflictReplace, ReasonBusy, `somebody else already publishes to stream "cam"`},
		"somebody against nobody":         {"", "bob", ConflictReplace, ReasonBusy, `somebody else already publishes to stream "cam"`},
		"anonymous is never the same":     {"anonymous", "anonymous", "", ReasonBusy, `somebody else already publishes to stream "cam"`},
		"the same, where that is refused": {"ann", "ann", ConflictReject, ReasonBusy, `you already publish to stream "cam", which does not let a new session take over (on_conflict = "reject")`},
		"somebody else, likewise":         {"ann", "bob", ConflictReject, ReasonBusy, `somebody else already publishes to stream "cam"`},
	} {
		d := newDesk()
		first, err := d.enter("cam", who(c.first), c.policy)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.enter("cam", who(c.second), c.policy)
		if reasonOf(err) != c.want || err != nil && err.Error() != c.text {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.enter("other", who("bob"), c.policy); err != nil {
			t.Errorf("%s, another stream: %v", name, err)
		}
		d.leave(first)
		d.leave(first)
		if _, err := d.enter("cam", who(c.second), c.policy); c.want != "" && err != nil {
			t.Errorf("%s, afterwards: %v", name, err)
		}
	}
}

// A14: who takes over ends those that came before, whether they publish or not, and not those that came later.
func TestTakeOver(t *testing.T) {
	d := newDesk()
	var all []*claim
	for range 4 {
		c, err := d.enter("cam", nil, "")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if waits := d.take(all[0]); len(waits) != 0 {
		t.Errorf("the first waits for %d", len(waits))
	}
	if waits := d.take(all[2]); len(waits) != 2 {
		t.Errorf("the third waits for %d", len(waits))
	}
	d.take(all[2])
	for i, want := range []bool{true, true, false, false} {
		select {
		case <-all[i].replaced:
			if !want {
				t.Errorf("%d is replaced", i)
			}
		default:
			if want {
				t.Errorf("%d is not replaced", i)
			}
		}
		d.leave(all[i])
	}
	if d.taken("cam") || len(d.claims) != 0 {
		t.Error("claims are left")
	}
}

// A14: of several at once, one gets the stream.
func TestClaimsRace(t *testing.T) {
	d := newDesk()
	var all sync.WaitGroup
	won := make(chan *claim, 100)
	for range 100 {
		all.Go(func() {
			if c, err := d.enter("cam", nil, ConflictReject); err == nil {
				won <- c
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Errorf("%d have the stream", len(won))
	}
}
