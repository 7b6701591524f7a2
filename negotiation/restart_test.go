package negotiation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A73, A75: a restart replaces credentials and candidates, and nothing else.
func TestRestarted(t *testing.T) {
	f := mustParseFragment(t, "a=ice-ufrag:next\na=ice-pwd:nextnextnextnextnextnext\nm=audio\na=mid:a\na=candidate:"+hostCandidate+"\na=end-of-candidates\n")
	old := mustParse(t, replaced(t, "a=rtcp-mux\n", "a=rtcp-mux\na=candidate:9 1 udp 1 192.0.2.9 5000 typ host\n"), RolePlay)
	before := old.Normalised()
	got := old.Restarted(f).Normalised()
	if old.Normalised() != before {
		t.Error("the old offer has changed")
	}
	want := strings.NewReplacer("o=- 1 1 ", "o=- 1 2 ", "ufrag:abcd", "ufrag:next", "pwd:0123456789012345678901", "pwd:nextnextnextnextnextnext",
		"a=candidate:9 1 udp 1 192.0.2.9 5000 typ host\r\n", "a=candidate:"+hostCandidate+"\r\na=end-of-candidates\r\n").Replace(before)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if twice := old.Restarted(f).Restarted(f).Normalised(); !strings.Contains(twice, "o=- 1 3 ") {
		t.Errorf("%s", twice)
	}
}

// C7
func TestAnswerRestarted(t *testing.T) {
	f := mustParseFragment(t, "a=ice-ufrag:next\na=ice-pwd:nextnextnextnextnextnext\na=candidate:"+hostCandidate+"\n")
	a := mustParseAnswer(t, plainAnswer, ourOffer(SendOnly))
	next := a.Restarted(f)
	if a.ICEUfrag != "wxyz" || len(a.Candidates) != 2 || next.ICEUfrag != "next" || !slices.Equal(next.Candidates, []string{hostCandidate}) {
		t.Errorf("%+v, then %+v", a, next)
	}
	got := next.Normalised()
	if strings.Count(got, "a=ice-ufrag:next\r\n") != 2 || fmt.Sprint(lines(got, "a=candidate")) != "[a=candidate:"+hostCandidate+"]" || !strings.Contains(got, "o=- 1 2 ") {
		t.Errorf("%s", got)
	}
}
