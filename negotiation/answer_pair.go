package negotiation

import (
	"fmt"
	"slices"
)

// answering gives, for the direction that we offered, those in which the peer may accept.
var answering = map[Direction][]Direction{
	SendOnly: {RecvOnly, SendRecv},
	RecvOnly: {SendOnly, SendRecv},
	SendRecv: {SendOnly, RecvOnly, SendRecv},
}

// pair judges each section of an answer by that of the offer.
func (d *description) pair(offer *description) (*Answer, error) {
	a := &Answer{ICELite: d.document.session.has("ice-lite"), mixedExtensions: d.document.session.has("extmap-allow-mixed")}
	var refused error
	var idle []Section // accepted, but inactive
	for i := range d.sections {
		s, ours := d.sections[i], &offer.sections[i]
		if detail := s.refusal(); detail != "" {
			refused = &UnusableAnswerError{Section: s.MID, Refused: s.Kind, Detail: detail}
			if ours.sends() {
				return nil, refused
			}
			if s.Enabled {
				idle = append(idle, s)
			}
			s.refuse(ours)
		} else if detail := s.unusable(ours); detail != "" {
			return nil, &UnusableAnswerError{Section: s.MID, Detail: detail}
		} else {
			s.keepOffered(ours)
		}
		a.Sections = append(a.Sections, s)
	}
	if len(a.accepted()) == 0 {
		return nil, refused
	}
	a.takeCandidates(idle)
	if err := a.shareTransport(); err != nil {
		return nil, err
	}
	return a, nil
}

// takeCandidates gives the first accepted section the candidates that stand in inactive ones: those are of the same
// transport, and peers write all candidates into the first section of the group, whatever it is (RFC 9143 7.1.3).
func (a *Answer) takeCandidates(idle []Section) {
	first, _ := a.Section(a.accepted()[0])
	for _, s := range idle {
		if s.ICEUfrag == first.ICEUfrag {
			first.Candidates = append(first.Candidates, s.Candidates...)
			first.EndOfCandidates = first.EndOfCandidates || s.EndOfCandidates
		}
	}
}

// refuse leaves of a section only that it is refused: what stands in its m-line may be anything.
func (s *Section) refuse(offered *Section) {
	*s = Section{MID: s.MID, Kind: s.Kind, Media: s.Media, Direction: Inactive, Proto: offered.Proto, formats: offered.formats, line: s.line}
}

func (s *Section) sends() bool { return s.Direction == SendOnly || s.Direction == SendRecv }

// refusal says how a section of an answer is refused, or "".
func (s *Section) refusal() string {
	switch {
	case !s.Enabled:
		return "it is refused with port 0"
	case s.Direction == Inactive:
		return "it is answered inactive"
	}
	return ""
}

// unusable says why an accepted section does not do for what was offered, or "".
func (s *Section) unusable(offered *Section) string {
	switch {
	case !slices.Contains(servedProtos, s.Proto):
		return fmt.Sprintf("its protocol is %s; UDP/TLS/RTP/SAVPF is required", quote(s.Proto))
	case !slices.Contains(answering[offered.Direction], s.Direction):
		return fmt.Sprintf("it is %s, in answer to %s", s.Direction, offered.Direction)
	case !s.RTCPMux:
		return "it has no rtcp-mux"
	case s.Setup != "active" && s.Setup != "passive":
		return fmt.Sprintf("its setup is %s; active or passive is required", quote(s.Setup))
	case len(s.Fingerprints) == 0:
		return s.rejected
	case !slices.ContainsFunc(s.Formats, func(f Format) bool { return f.usable() && offered.find(f) != nil }):
		return "it names no payload type with a codec that was offered"
	}
	return ""
}

// find is the section's own format of the same payload type and encoding, or nil.
func (s *Section) find(f Format) *Format {
	for _, list := range [][]Format{s.Formats, s.Repair} {
		for i := range list {
			if list[i].PayloadType == f.PayloadType && list[i].sameEncoding(&f) {
				return &list[i]
			}
		}
	}
	return nil
}

// keepOffered drops the payload types and header extensions that were not offered. The others get the fmtp line
// of the offer, which is how a library finds its own again; Params stays the peer's.
func (s *Section) keepOffered(offered *Section) {
	s.Formats = offered.shared(s.Formats)
	s.Repair = offered.shared(s.Repair)
	s.extMaps = slices.DeleteFunc(s.extMaps, func(value string) bool {
		id, uri, _ := parseExtMap(value)
		return offered.extension(id) != uri
	})
	s.RIDs = nil
}

// shared is those of the answered formats that the section offers, with its fmtp lines.
func (s *Section) shared(answered []Format) []Format {
	var kept []Format
	for _, f := range answered {
		if o := s.find(f); o != nil {
			f.Params, f.FMTP = f.params(), o.FMTP
			kept = append(kept, f)
		}
	}
	return kept
}

// shareTransport takes the transport of the first accepted section, which all others must have too.
func (a *Answer) shareTransport() error {
	var first *Section
	for i := range a.Sections {
		s := &a.Sections[i]
		if !s.serves() {
			continue
		}
		if first == nil {
			first = s
			a.Setup, a.ICEUfrag, a.ICEPwd = s.Setup, s.ICEUfrag, s.ICEPwd
		}
		if s.ICEUfrag != a.ICEUfrag || s.ICEPwd != a.ICEPwd || s.Setup != a.Setup {
			return &UnusableAnswerError{Section: s.MID, Detail: "it has a transport of its own; one for all sections was offered"}
		}
		for _, f := range s.Fingerprints {
			if detail := conflict(first.Fingerprints, f); detail != "" {
				return &UnusableAnswerError{Section: s.MID, Detail: detail}
			}
		}
		a.Candidates = append(a.Candidates, s.Candidates...)
		a.EndOfCandidates = a.EndOfCandidates || s.EndOfCandidates
	}
	return nil
}
