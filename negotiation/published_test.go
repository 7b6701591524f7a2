package negotiation

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// volatile finds what differs from run to run in an answer of pion's.
var volatile = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`(?m)^o=- \d+ \d+ `), "o=- 1 1 "},
	{regexp.MustCompile(`a=ice-ufrag:\S+`), "a=ice-ufrag:****"},
	{regexp.MustCompile(`a=ice-pwd:\S+`), "a=ice-pwd:**********************"},
	{regexp.MustCompile(`a=fingerprint:sha-256 \S+`), "a=fingerprint:sha-256 **"},
	{regexp.MustCompile(`a=candidate:.*`), "a=candidate:**"},
}

// A25, A50 to A52, A54, A56, A57, A58, A60, D4, D10, D11, D20: what the publishers of the stored offers are answered,
// with pion as the library.
func TestPublishersWithPion(t *testing.T) {
	certificate := newCertificate(t)
	for name, text := range publisherFixtures(t) {
		t.Run(name, func(t *testing.T) {
			offer := mustParse(t, text, RolePublish)
			plan, err := Accept(offer, Wish{})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := FinishAnswer(pionAnswer(t, offer, plan, certificate), offer, AnswerOptions{Plan: plan})
			if err != nil {
				t.Fatal(err)
			}
			checkAnswer(t, answer, offer)
			checkPublished(t, answer, offer, plan)
			for _, v := range volatile {
				answer = v.pattern.ReplaceAllString(answer, v.mask)
			}
			golden(t, "testdata/published/"+name+".sdp", answer)
		})
	}
}

// checkPublished holds what is true of every answer to a publisher.
func checkPublished(t *testing.T, answer string, offer *Offer, plan *Plan) {
	t.Helper()
	for i, section := range strings.Split(answer, "\r\nm=")[1:] {
		c, s := plan.Sections[i], &offer.Sections[i]
		if c.Action != Passthrough {
			continue
		}
		line, _, _ := strings.Cut(section, "\r\n")
		want := []string{strconv.Itoa(int(c.Format.PayloadType))}
		if c.Format.RTX != 0 {
			want = append(want, strconv.Itoa(int(c.Format.RTX))) // A56
		}
		if got := strings.Fields(line)[3:]; !slices.Equal(got, want) {
			t.Errorf("payload types %v, want %v", got, want)
		}
		if strings.Count(section, "\r\na=recvonly") != 1 || strings.Contains(section, "sprop") {
			t.Errorf("section %s:\n%s", s.MID, section)
		}
		if names := strings.Join(s.RIDs, ";"); names != "" && !strings.Contains(section+"\r\n", "\r\na=simulcast:recv "+names+"\r\n") { // A58
			t.Errorf("no simulcast line for %s:\n%s", names, section)
		}
		for _, l := range lines("\r\n"+section, "a=rtcp-fb:") { // A57
			pt, value, _ := strings.Cut(strings.TrimPrefix(l, "a=rtcp-fb:"), " ")
			f := s.find(Format{PayloadType: c.Format.PayloadType, Name: c.Format.Name, ClockRate: c.Format.ClockRate, Channels: c.Format.Channels})
			if pt == want[0] && !slices.Contains(f.Feedback, value) || value == "goog-remb" {
				t.Errorf("feedback %s", l)
			}
		}
	}
}
