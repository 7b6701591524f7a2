package negotiation

import (
	"errors"
	"slices"
	"testing"

	"sluice/media"
)

// FuzzParseOffer runs any text the whole way to a plan. J30.
func FuzzParseOffer(f *testing.F) {
	for _, name := range sortedNames(fixtures(f)) {
		f.Add(fixtures(f)[name], true)
		f.Add(viewerFixtures(f)[name], false)
	}
	f.Add(plainOffer, false)
	source := []media.Track{h264("640028"), sound(media.Opus, 48000, 2)}
	f.Fuzz(func(t *testing.T, text string, publish bool) {
		role := RolePlay
		if publish {
			role = RolePublish
		}
		offer := checkOffer(t, text, role)
		if offer == nil || publish {
			return
		}
		plan, err := Decide(source, offer, Policy{})
		if err != nil {
			return
		}
		checkPlan(t, plan, offer)
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

// FuzzFinishAnswer gives any text for a library's answer.
func FuzzFinishAnswer(f *testing.F) {
	offer := mustParse(f, viewerFixtures(f)["chromium-play"], RolePlay)
	plan, err := Decide([]media.Track{h264("42e01f"), sound(media.Opus, 48000, 2)}, offer, Policy{})
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
