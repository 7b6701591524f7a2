package negotiation

import "slices"

// Restarted is a copy of the offer as the peer would make it after an ICE restart: with the credentials and
// candidates of the fragment, which must have both, and a higher version. The offer itself stays as it is.
func (o *Offer) Restarted(f *Fragment) *Offer {
	c := *o
	c.version++
	c.Sections = restarted(o.Sections, f, o.Tagged().MID, o.CandidatesOf(f))
	return &c
}

// restarted is a copy of sections with the transport of a fragment, the candidates in the section of a mid.
func restarted(sections []Section, f *Fragment, mid string, candidates []string) []Section {
	sections = slices.Clone(sections)
	for i := range sections {
		s := &sections[i]
		if !s.serves() {
			continue
		}
		s.ICEUfrag, s.ICEPwd = f.ICEUfrag, f.ICEPwd
		s.Candidates, s.EndOfCandidates = nil, false
		if s.MID == mid {
			s.Candidates, s.EndOfCandidates = candidates, f.EndOfCandidates
		}
	}
	return sections
}
