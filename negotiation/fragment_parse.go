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
	return parseFragment(text)
}

// FragmentOf is what a description of ours, made by FinishAnswer or FinishOffer, says of ICE: what String writes
// of it is the fragment that an ICE restart is asked for or answered with. The error is *MalformedFragmentError,
// and a defect of ours.
func FragmentOf(description string) (*Fragment, error) { return parseFragment(description) }

func parseFragment(text string) (*Fragment, error) {
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
	settled  bool // f.MID is that of a section with candidates
	sections int  // that have begun

	// Of the section that is being read, or of what stands before the first.
	mid        string
	kind       media.Kind
	candidates []string // their section's mid may come after them
	ended      bool     // it has had its end-of-candidates
}

// add takes one line and says what is wrong with it, or "".
func (p *fragmentParser) add(line string) string {
	switch {
	case line == "":
		return ""
	case strings.ContainsAny(line, "\r\x00"):
		return "it has a carriage return or NUL inside; lines end in CRLF or LF"
	case len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z':
		return quoteLine(line) + " is not of the form x=value"
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
	if medium, _, _ := strings.Cut(value, " "); medium == string(media.Audio) || medium == string(media.Video) {
		p.kind = media.Kind(medium)
	}
}

// endSection gives the candidates of the section that ends its mid. The fragment's own section is the first that
// has something to tell of candidates, or else the first of all.
func (p *fragmentParser) endSection() {
	tells := len(p.candidates) > 0 || p.ended
	if p.sections == 1 || p.sections > 1 && tells && !p.settled {
		p.f.MID, p.f.Kind, p.settled = p.mid, p.kind, tells
	}
	for _, value := range p.candidates {
		c := FragmentCandidate{MID: p.mid, Value: value}
		if len(p.f.Candidates) < maxFragmentCandidates && !slices.Contains(p.f.Candidates, c) {
			p.f.Candidates = append(p.f.Candidates, c)
		}
	}
	p.mid, p.kind, p.candidates, p.ended = "", "", nil, false
}

func (p *fragmentParser) attribute(key, value string) string {
	switch key {
	case "ice-ufrag":
		return setCredential(&p.f.ICEUfrag, key, value)
	case "ice-pwd":
		return setCredential(&p.f.ICEPwd, key, value)
	case "ice-lite":
		p.f.ICELite = true
	case "mid":
		return p.setMID(value)
	case "candidate":
		if !p.ended && value != "" && len(value) <= maxCandidateLength && printable(value) {
			p.candidates = append(p.candidates, value)
		}
	case "end-of-candidates":
		p.ended, p.f.EndOfCandidates = true, true
	}
	return ""
}

func (p *fragmentParser) setMID(value string) string {
	switch {
	case !token(value, maxMID):
		return fmt.Sprintf("mid %s must be a token of at most %d characters", quote(value), maxMID)
	case p.mid != "" && p.mid != value:
		return fmt.Sprintf("mid %s contradicts %s", quote(value), quote(p.mid))
	case p.sections > 0:
		p.mid = value
	}
	return ""
}

// setCredential takes an ICE user fragment or password, which must be the same wherever it stands: all
// sections share one transport.
func setCredential(have *string, key, value string) string {
	if *have != "" && *have != value {
		return "a second " + key + " contradicts the first"
	}
	*have = value
	return credentialFault(key, value)
}
