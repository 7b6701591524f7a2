package negotiation

import (
	"slices"
	"strings"

	"sluice/media"
)

// checkMIDs requires a mid of each section, and no two the same. A lone section without one gets "0".
func (o *Offer) checkMIDs() error {
	seen := map[string]bool{}
	for i := range o.Sections {
		s := &o.Sections[i]
		switch {
		case s.MID == "" && len(o.Sections) == 1:
			s.MID = "0"
		case s.MID == "" && s.Enabled:
			return malformed(s.line, "the section has no mid")
		case s.MID != "" && seen[s.MID]:
			return malformed(s.line, "mid %s is that of another section too", quote(s.MID))
		}
		seen[s.MID] = true
	}
	return nil
}

// readBundle reads the BUNDLE group, drops the mids of sections that are not there (ffmpeg up to 8.0 names
// two with one present), and returns whether all sections that are to be served are in one group.
func (o *Offer) readBundle(session attributes) (bool, error) {
	groups, named := 0, map[string]bool{}
	for _, a := range session {
		words := strings.Fields(a.value)
		if a.key != "group" || len(words) == 0 || words[0] != "BUNDLE" {
			continue
		}
		groups++
		for _, mid := range words[1:] {
			if named[mid] {
				return false, malformed(a.line, "the BUNDLE group names mid %s twice", quote(mid))
			}
			named[mid] = true
			if s, ok := o.Section(mid); ok && s.Enabled {
				o.Bundle = append(o.Bundle, mid)
			}
		}
	}
	served, grouped := 0, 0
	for i := range o.Sections {
		if s := &o.Sections[i]; s.serves() {
			served++
			if slices.Contains(o.Bundle, s.MID) {
				grouped++
			}
		}
	}
	return served == grouped && groups == 1 || served <= 1, nil
}

// checkShared requires of sections that share one transport that they mean the same by each payload type
// (RFC 9143 9.1). A header extension whose id has another meaning in an earlier section is taken for not
// offered: aiortc numbers them anew in each section.
func (o *Offer) checkShared() error {
	formats, extensions := map[uint8]*Format{}, map[int]string{}
	for i := range o.Sections {
		s := &o.Sections[i]
		if !s.serves() {
			continue
		}
		for _, list := range [][]Format{s.Formats, s.Repair} {
			for j := range list {
				f := &list[j]
				if other := formats[f.PayloadType]; other != nil && !other.sameEncoding(f) {
					return malformed(s.line, "payload type %d is both %s and %s", f.PayloadType, quote(other.Name), quote(f.Name))
				}
				formats[f.PayloadType] = f
			}
		}
		s.extMaps = slices.DeleteFunc(s.extMaps, func(value string) bool {
			id, uri, _ := parseExtMap(value)
			if other := extensions[id]; other != "" && other != uri {
				return true
			}
			extensions[id] = uri
			return false
		})
	}
	return nil
}

// checkServable requires what the standards and the gateway ask of an offer beyond its form.
func (o *Offer) checkServable(grouped bool) error {
	count := map[media.Kind]int{}
	for i := range o.Sections {
		if s := &o.Sections[i]; s.serves() {
			if detail := s.unservable(o.Role); detail != "" {
				return &UnservableOfferError{Line: s.line, Section: s.MID, Detail: detail}
			}
			if count[s.Kind]++; count[s.Kind] > 1 {
				detail := "it is the second one for " + string(s.Kind) + "; one for video and one for audio are accepted"
				return &UnservableOfferError{Line: s.line, Section: s.MID, Detail: detail}
			}
		}
	}
	switch {
	case len(count) == 0:
		return &UnservableOfferError{Detail: "it has no audio or video section that is enabled"}
	case !grouped:
		return &UnservableOfferError{Detail: "all its sections must be in one BUNDLE group"}
	}
	return o.checkFingerprints()
}

// checkFingerprints requires one certificate of sections that share one transport.
func (o *Offer) checkFingerprints() error {
	first := o.Tagged()
	for i := range o.Sections {
		s := &o.Sections[i]
		if !s.serves() {
			continue
		}
		for _, f := range s.Fingerprints {
			if detail := conflict(first.Fingerprints, f); detail != "" {
				return &UnservableOfferError{Line: s.line, Section: s.MID, Detail: detail}
			}
		}
	}
	return nil
}
