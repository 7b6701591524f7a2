package negotiation

import (
	"fmt"
	"slices"
	"strings"

	"sluice/media"
)

// ParseFragment reads a fragment. Of an m-line only the medium counts: what follows, a port included, may be
// missing. The names of attributes are taken in any case, and lines of no meaning here are ignored, so a whole
// answer can be read as well. The errors are *FragmentTooLargeError and *MalformedFragmentError.
func ParseFragment(text string) (*Fragment, error) {
	if len(text) > MaxFragmentSize {
		return nil, &FragmentTooLargeError{Size: len(text), Max: MaxFragmentSize}
	}
	p := &fragmentParser{f: &Fragment{}}
	for number := 1; text != ""; number++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		if err := p.add(strings.TrimSuffix(line, "\r")); err != "" {
			return nil, &MalformedFragmentError{Line: number, Detail: err}
		}
	}
	if !p.any {
		return nil, &MalformedFragmentError{Detail: "it is empty"}
	}
	p.endSection()
	return p.f, nil
}

// fragmentParser reads a fragment line by line.
type fragmentParser struct {
	f        *Fragment
	any      bool // a line has been read
	sections int
	mid      string
	pending  []string // candidates of the section being read, whose mid may come after them
	ended    bool     // the section has had its end-of-candidates
}

// add takes one line and says what is wrong with it, or "".
func (p *fragmentParser) add(line string) string {
	switch {
	case line == "":
		return ""
	case strings.ContainsAny(line, "\r\x00"):
		return "it has a carriage return or NUL inside; lines end in CRLF or LF"
	case len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z':
		return quote(line) + " is not of the form x=value"
	}
	p.any = true
	value := strings.TrimSpace(line[2:])
	switch line[0] {
	case 'm':
		p.beginSection(value)
	case 'a':
		key, v, _ := strings.Cut(value, ":")
		return p.attribute(strings.ToLower(key), strings.TrimSpace(v))
	}
	return ""
}

func (p *fragmentParser) beginSection(value string) {
	p.endSection()
	p.sections++
	medium, _, _ := strings.Cut(value, " ")
	if p.sections == 1 && (medium == string(media.Audio) || medium == string(media.Video)) {
		p.f.Kind = media.Kind(medium)
	}
}

// endSection gives the candidates of the section that ends its mid.
func (p *fragmentParser) endSection() {
	if p.sections == 1 {
		p.f.MID = p.mid
	}
	for _, value := range p.pending {
		c := FragmentCandidate{MID: p.mid, Value: value}
		if len(p.f.Candidates) < maxFragmentCandidates && !slices.Contains(p.f.Candidates, c) {
			p.f.Candidates = append(p.f.Candidates, c)
		}
	}
	p.mid, p.pending, p.ended = "", nil, false
}

func (p *fragmentParser) attribute(key, value string) string {
	switch key {
	case "ice-ufrag":
		return setCredential(&p.f.ICEUfrag, key, value, minUfrag)
	case "ice-pwd":
		return setCredential(&p.f.ICEPwd, key, value, minPwd)
	case "ice-lite":
		p.f.ICELite = true
	case "mid":
		if p.sections > 0 && p.mid != "" && p.mid != value || !token(value, maxMID) {
			return fmt.Sprintf("mid %s must be one token of at most %d characters", quote(value), maxMID)
		}
		if p.sections > 0 {
			p.mid = value
		}
	case "candidate":
		if !p.ended && value != "" && len(value) <= maxCandidateLength && printable(value) {
			p.pending = append(p.pending, value)
		}
	case "end-of-candidates":
		p.ended, p.f.EndOfCandidates = true, true
	}
	return ""
}

// setCredential takes an ICE user fragment or password, which must be the same wherever it stands: all
// sections share one transport.
func setCredential(have *string, key, value string, least int) string {
	if *have != "" && *have != value {
		return "a second " + key + " contradicts the first"
	}
	*have = value
	return credentialFault(key, value, least)
}
