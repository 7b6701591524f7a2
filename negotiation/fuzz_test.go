package negotiation

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"sluice/media"
)

// FuzzParseOffer runs any text the whole way to an answer. J30.
func FuzzParseOffer(f *testing.F) {
	for _, name := range sortedNames(fixtures(f)) {
		text := fixtures(f)[name]
		f.Add(text, true)
		f.Add(text, false)
		f.Add(turned.Replace(text), true)
		f.Add(turned.Replace(text), false)
	}
	f.Add(plainOffer, false)
	source := []media.Track{h264("640028"), sound(media.Opus, 48000, 2)}
	f.Fuzz(func(t *testing.T, text string, publish bool) {
		role := RolePlay
		if publish {
			role = RolePublish
		}
		offer := checkOffer(t, text, role)
		if offer == nil {
			return
		}
		var d sdp.SessionDescription
		if err := d.UnmarshalString(offer.Normalised()); err != nil {
			t.Fatalf("pion: %v\n%s", err, offer.Normalised())
		}
		if made, err := Decide(source, offer, Policy{Transcode: TranscodeAlways}, able()); err == nil && !publish {
			checkPlan(t, made, offer)
		}
		plan, err := Decide(source, offer, Policy{}, Capacity{})
		if publish {
			plan, err = Accept(offer, Wish{Video: media.H264})
		}
		if err != nil {
			return
		}
		if !publish {
			checkPlan(t, plan, offer)
		}
		answer, err := FinishAnswer(libraryAnswer(offer, plan, libraryCandidates...), offer, AnswerOptions{Plan: plan})
		var invalid *InvalidAnswerError
		if err != nil && !errors.As(err, &invalid) {
			t.Fatal(err)
		}
		unserved := slices.ContainsFunc(offer.Sections, func(s Section) bool { return !s.serves() })
		if err == nil && !unserved { // what pion's parser thinks of a refused m=0 is not our matter
			checkAnswer(t, answer, offer)
		}
	})
}

// FuzzParseFragment reads any text: what is accepted is read the same again when it is written. J70 to J75.
func FuzzParseFragment(f *testing.F) {
	for _, text := range fragmentFixtures(f) {
		f.Add(text)
	}
	offer := mustParse(f, plainOffer, RolePlay)
	f.Fuzz(func(t *testing.T, text string) {
		fragment, err := ParseFragment(text)
		if err != nil {
			var malformed *MalformedFragmentError
			var large *FragmentTooLargeError
			if !errors.As(err, &malformed) && !errors.As(err, &large) || !printable(strings.ReplaceAll(err.Error(), "…", "")) {
				t.Fatalf("error %T %q", err, err)
			}
			return
		}
		if len(fragment.Candidates) > maxFragmentCandidates || len(offer.CandidatesOf(fragment)) > len(fragment.Candidates) {
			t.Fatalf("%d candidates", len(fragment.Candidates))
		}
		written := fragment.String()
		if len(written) > MaxFragmentSize {
			return
		}
		again := mustParseFragment(t, written)
		if twice := again.String(); again.ICEUfrag != fragment.ICEUfrag || again.ICEPwd != fragment.ICEPwd || again.MID != fragment.MID ||
			again.EndOfCandidates != fragment.EndOfCandidates || mustParseFragment(t, twice).String() != twice {
			t.Fatalf("written\n%s\nthen\n%s", written, twice)
		}
		if fragment.ICEUfrag != "" && fragment.ICEPwd != "" {
			checkOffer(t, offer.Restarted(fragment).Normalised(), RolePlay)
		}
	})
}

// FuzzParseAnswer reads any text as an answer to either of our offers. C9.
func FuzzParseAnswer(f *testing.F) {
	f.Add(plainAnswer, true)
	f.Add(turned.Replace(plainAnswer), false)
	for _, name := range sortedNames(fixtures(f)) {
		f.Add(read(f, "testdata/answers/"+name+".sdp"), false)
	}
	f.Fuzz(func(t *testing.T, text string, send bool) {
		offer := ourOffer(RecvOnly)
		if send {
			offer = ourOffer(SendOnly)
		}
		a := checkParsedAnswer(t, text, offer)
		if a == nil {
			return
		}
		var d sdp.SessionDescription
		if err := d.UnmarshalString(a.Normalised()); err != nil {
			t.Fatalf("pion: %v\n%s", err, a.Normalised())
		}
		next := a.Restarted(&Fragment{ICEUfrag: "next", ICEPwd: "nextnextnextnextnextnext", Candidates: []FragmentCandidate{{Value: hostCandidate}}})
		if again := mustParseAnswer(t, next.Normalised(), offer); again.ICEUfrag != "next" || len(again.Candidates) != 1 {
			t.Fatalf("restarted:\n%s", next.Normalised())
		}
	})
}

// FuzzFinishAnswer gives any text for a library's answer.
func FuzzFinishAnswer(f *testing.F) {
	offer := mustParse(f, viewerFixtures(f)["chromium-play"], RolePlay)
	plan, err := Decide([]media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}, offer, Policy{}, Capacity{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(libraryAnswer(offer, plan, libraryCandidates...), true)
	for _, name := range sortedNames(fixtures(f)) {
		f.Add(fixtures(f)[name], false)
		f.Add(read(f, "testdata/answers/"+name+".sdp"), true)
	}
	f.Fuzz(func(t *testing.T, answer string, planned bool) {
		options := AnswerOptions{}
		if planned {
			options.Plan = plan
		}
		text, err := FinishAnswer(answer, offer, options)
		var rejected *RejectedSectionError
		var invalid *InvalidAnswerError
		if err != nil && !errors.As(err, &rejected) && !errors.As(err, &invalid) {
			t.Fatal(err)
		}
		if err == nil && len(text) > maxAnswerSize {
			t.Fatalf("%d bytes", len(text))
		}
	})
}
