package negotiation

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/media"
)

const (
	ufragLine     = "a=ice-ufrag:EsAw\r\n"
	pwdLine       = "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
	hostCandidate = "1 1 udp 2130706431 192.0.2.1 5000 typ host"
)

// fragmentOf makes a fragment of the usual credentials.
func fragmentOf(change func(*Fragment)) Fragment {
	f := Fragment{ICEUfrag: "EsAw", ICEPwd: "P2uYro0UCOQ4zxjKXaWCBui1"}
	change(&f)
	return f
}

func mustParseFragment(t testing.TB, text string) *Fragment {
	t.Helper()
	f, err := ParseFragment(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParseFragment(t *testing.T) {
	line := "a=candidate:" + hostCandidate + "\r\n"
	at := func(mids ...string) (all []FragmentCandidate) {
		for _, mid := range mids {
			all = append(all, FragmentCandidate{MID: mid, Value: hostCandidate})
		}
		return all
	}
	plain := fragmentOf(func(*Fragment) {})
	audio := fragmentOf(func(f *Fragment) { f.MID, f.Kind = "0", media.Audio })
	full := fragmentOf(func(f *Fragment) { f.MID, f.Kind, f.Candidates, f.EndOfCandidates = "0", media.Audio, at("0"), true })
	for _, c := range []struct {
		name, text string
		want       Fragment
	}{
		{"session level", ufragLine + pwdLine, plain},                                                                                                                                                      // A77
		{"section level", "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n" + ufragLine + pwdLine, audio},                                                                                                               // A77
		{"both levels", ufragLine + "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n" + ufragLine + pwdLine, audio},                                                                                                     // A77
		{"LF", "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", plain},                                                                                                                              // A77
		{"no port", ufragLine + pwdLine + "m=audio RTP/AVP 0\r\na=mid:0\r\n" + line + "a=end-of-candidates\r\n", full},                                                                                     // A77, J73, D40
		{"unknown lines", "v=0\r\na=x\r\na=group:BUNDLE 0 1\r\n" + ufragLine + pwdLine + "\r\n", plain},                                                                                                    // A77
		{"ufrag alone", ufragLine, Fragment{ICEUfrag: "EsAw"}},                                                                                                                                             // J72
		{"no credentials", line, Fragment{Candidates: at("")}},                                                                                                                                             // J71
		{"mid after the candidate", "m=video 9\r\n" + line + "a=mid:video0\r\n", Fragment{MID: "video0", Kind: media.Video, Candidates: at("video0")}},                                                     // J74
		{"no mid", "m=video 9\r\n" + line, Fragment{Kind: media.Video, Candidates: at("")}},                                                                                                                // A78
		{"duplicates", line + line + "m=audio 9\r\na=mid:0\r\n" + line + line, Fragment{MID: "0", Kind: media.Audio, Candidates: at("", "0")}},                                                             // A77
		{"after the end", "m=audio 9\r\na=mid:0\r\na=end-of-candidates\r\n" + line + "m=video 9\r\na=mid:1\r\n" + line, Fragment{MID: "0", Kind: media.Audio, EndOfCandidates: true, Candidates: at("1")}}, // J82
		{"end at session level", "a=end-of-candidates\r\nm=audio 9\r\na=mid:0\r\n" + line, Fragment{MID: "0", Kind: media.Audio, EndOfCandidates: true, Candidates: at("0")}},                              // J82
		{"candidates in the second section", "m=application 0\r\na=mid:d\r\nm=video 9\r\na=mid:1\r\n" + line + "m=audio 9\r\na=mid:0\r\n", Fragment{MID: "1", Kind: media.Video, Candidates: at("1")}},     // A77
		{"candidates of no form", "a=candidate:\r\na=candidate:\x1b[31m\r\na=candidate:" + strings.Repeat("1", maxCandidateLength+1) + "\r\n" + ufragLine, Fragment{ICEUfrag: "EsAw"}},                     // A76
		{"ice-lite", "a=ice-lite\r\na=ice-options:trickle ice2\r\n" + ufragLine + pwdLine, fragmentOf(func(f *Fragment) { f.ICELite = true })},                                                             // A75
		{"capitals", "a=Ice-Ufrag:EsAw\na=ICE-PWD:P2uYro0UCOQ4zxjKXaWCBui1\nm=audio 9\na=MID:0\na=Candidate:" + hostCandidate + "\na=END-OF-CANDIDATES\n", full},                                           // A77
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParseFragment(t, c.text)
			if fmt.Sprint(*got) != fmt.Sprint(c.want) {
				t.Errorf("got  %+v\nwant %+v", *got, c.want)
			}
		})
	}
}

func TestParseFragmentFaults(t *testing.T) {
	for _, c := range []struct {
		name, text, detail string
	}{
		{"nothing", "", "empty"},               // J70
		{"blank lines", "\r\n\n\r\n", "empty"}, // J70
		{"lone CR", "a=x\r\na=ice-ufrag:EsAw\ra=x\r\n", "line 2"},
		{"NUL", "a=x\x00\r\n", "NUL"},
		{"JSON", `{"candidate":""}`, "x=value"},
		{"capital letter for a", "A=x\n", "x=value"},
		{"password in a broken line", " a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", "malformed: it is not of the form"},
		{"short password", "a=ice-pwd:abc\r\n", "3 characters"},
		{"long password", "a=ice-pwd:" + strings.Repeat("a", 257), "257 characters"},
		{"short ufrag", "a=ice-ufrag:abc", "3 characters"},
		{"empty ufrag", "a=ice-ufrag:", "0 characters"},
		{"ufrag of other characters", "a=ice-ufrag:ab cd", "letters"},
		{"two ufrags", ufragLine + "m=audio 9\r\na=ice-ufrag:EsAx\r\n", "line 3"},                     // A77
		{"two passwords", pwdLine + "m=audio 9\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui2", "contradicts"}, // A77
		{"mid of two words", "m=audio 9\r\na=mid:a b\r\n", "token"},
		{"long mid", "m=audio 9\r\na=mid:" + strings.Repeat("m", 17), "token"},
		{"two mids", "m=audio 9\r\na=mid:a\r\na=mid:b\r\n", "contradicts"},
	} {
		var malformed *MalformedFragmentError
		if f, err := ParseFragment(c.text); !errors.As(err, &malformed) || !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: %+v, %v", c.name, f, err)
		}
	}
}

// A70: what is too large is not looked at.
func TestParseFragmentSize(t *testing.T) {
	text := ufragLine + "a=" + strings.Repeat("x", MaxFragmentSize-len(ufragLine)-len("a="))
	mustParseFragment(t, text)
	var large *FragmentTooLargeError
	if _, err := ParseFragment(text + "\n"); !errors.As(err, &large) || large.Size != MaxFragmentSize+1 {
		t.Error(err)
	}
}

// J76: of many candidates the first hundred are kept.
func TestParseFragmentManyCandidates(t *testing.T) {
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "a=candidate:%d 1 udp 1 192.0.2.1 5000 typ host\n", i)
	}
	got := mustParseFragment(t, text.String()).Values()
	if len(got) != 100 || !strings.HasPrefix(got[99], "99 ") {
		t.Errorf("%d candidates, the last %s", len(got), got[len(got)-1])
	}
}

// A73, A75, D40: what is written is found by readers of RFC 8840 and by medooze's regular expression.
func TestFragmentString(t *testing.T) {
	f := fragmentOf(func(f *Fragment) {
		f.ICELite, f.MID, f.Kind, f.EndOfCandidates = true, "video0", media.Video, true
		f.Candidates = []FragmentCandidate{{MID: "video0", Value: hostCandidate}}
	})
	want := "a=ice-options:trickle ice2\r\na=ice-lite\r\n" + ufragLine + pwdLine +
		"m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:video0\r\na=candidate:" + hostCandidate + "\r\na=end-of-candidates\r\n"
	if got := f.String(); got != want {
		t.Errorf("%s", got)
	}
	if m := regexp.MustCompile("a=ice-ufrag:(.*)\r\n").FindStringSubmatch(f.String()); m == nil || m[1] != "EsAw" {
		t.Errorf("medooze finds %q", m)
	}
	if again := mustParseFragment(t, want); fmt.Sprint(*again) != fmt.Sprint(f) {
		t.Errorf("%+v", again)
	}
	if got := new(Fragment).String(); got != "a=ice-options:trickle ice2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" {
		t.Errorf("empty: %q", got)
	}
}

// A77, J73, D40: what real clients send, as far as their source tells.
func TestFragmentFixtures(t *testing.T) {
	for name, text := range fragmentFixtures(t) {
		f := mustParseFragment(t, text)
		if f.ICEUfrag == "" || f.ICEPwd == "" {
			t.Errorf("%s: %+v", name, f)
		}
		if restart := name == "medooze-restart"; restart != (len(f.Candidates) == 0) {
			t.Errorf("%s: candidates %v", name, f.Candidates)
		}
	}
}

// fragmentFixtures are the stored fragments by name.
func fragmentFixtures(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/fragments/*.sdpfrag")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fragments: %v", err)
	}
	all := make(map[string]string)
	for _, path := range paths {
		all[strings.TrimSuffix(filepath.Base(path), ".sdpfrag")] = read(t, path)
	}
	return all
}

// A78, J75
func TestCandidatesOf(t *testing.T) {
	o := mustParse(t, plainOffer+"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n", RolePlay)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"no mid at all", "a=candidate:1 x\nm=audio\na=candidate:2 x\n", []string{"1 x", "2 x"}},
		{"any section of the bundle", "m=audio\na=mid:a\na=candidate:1 x\nm=video\na=mid:v\na=candidate:2 x\n", []string{"1 x", "2 x"}},
		{"the same in two sections", "m=audio\na=mid:a\na=candidate:1 x\nm=video\na=mid:v\na=candidate:1 x\n", []string{"1 x"}},
		{"unknown mid", "m=audio\na=mid:zz\na=candidate:1 x\nm=audio\na=mid:a\na=candidate:2 x\n", []string{"2 x"}},
		{"mid of data", "m=application\na=mid:d\na=candidate:1 x\n", nil},
		{"generation of its own", "a=candidate:" + hostCandidate + " ufrag abcd\na=candidate:" + hostCandidate + " ufrag wxyz\n", []string{hostCandidate + " ufrag abcd"}},
		{"generation of the fragment", ufragLine + "a=candidate:" + hostCandidate + " ufrag abcd\na=candidate:" + hostCandidate + " generation 0 ufrag EsAw\n", []string{hostCandidate + " generation 0 ufrag EsAw"}},
		{"none", ufragLine, nil},
	} {
		if got := o.CandidatesOf(mustParseFragment(t, c.text)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
