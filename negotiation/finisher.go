package negotiation

import (
	"fmt"
	"slices"

	"sluice/media"
)

// maxAnswerSize is for two m-lines: what ffmpeg's WHIP muxer reads is one byte more, with its final NUL.
const maxAnswerSize = 8191

// UnusedMode is how an accepted section is answered in which nothing is sent.
type UnusedMode string

// The modes: a=inactive, which is the default, or port 0.
const (
	UnusedInactive UnusedMode = "inactive"
	UnusedRejected UnusedMode = "rejected"
)

// AnswerOptions is what neither the offer nor our side of the session tells of an answer.
type AnswerOptions struct {
	Plan     *Plan      // which sections a viewer gets; nil: those with an msid in the library's answer
	Unused   UnusedMode // "" is UnusedInactive
	StreamID string     // msid of all that is sent; "": the first of the library's answer, or a CNAME of a Transport
	Loopback bool       // the peer is on this machine, so loopback candidates come first and not last
}

// fitting drops candidates from the end, but never the first, until their lines are shorter by the given bytes.
func fitting(candidates []string, excess int) []string {
	for len(candidates) > 1 && excess > 0 {
		last := len(candidates) - 1
		excess -= len("a=candidate:\r\n") + len(candidates[last])
		candidates = candidates[:last]
	}
	return candidates
}

// finisher holds one answer until it is written: what our side says, and what becomes of each section. FinishAnswer
// fills it from a library's text, MakeAnswer from a Transport.
type finisher struct {
	offer   *Offer
	options AnswerOptions

	side     side
	parts    []part // one for each section of the offer
	streamID string // msid of all that is sent
}

// side is what we say of ourselves, for all sections alike.
type side struct {
	origin                string
	iceUfrag, icePwd      string
	fingerprint, setup    string
	lite, mixedExtensions bool
	candidates            []string // in the order in which they are told
}

// part is what becomes of one section.
type part struct {
	offered *Section
	action  Action
	formats []Format   // as they are answered
	extMaps []string   // likewise
	sources attributes // msid, ssrc and ssrc-group, of any stream id
}

// text writes the answer, with as many candidates as fit.
func (f *finisher) text() (string, error) {
	text := f.write(f.side.candidates)
	if len(text) <= maxAnswerSize || len(f.offer.Sections) > 2 {
		return text, nil
	}
	text = f.write(fitting(f.side.candidates, len(text)-maxAnswerSize))
	if len(text) > maxAnswerSize {
		return "", &InvalidAnswerError{Detail: fmt.Sprintf("it has %d bytes; peers read %d", len(text), maxAnswerSize)}
	}
	return text, nil
}

// check requires that something is served, and that our side has all that each section must say.
func (f *finisher) check() error {
	if f.tagged() == nil {
		return &InvalidAnswerError{Detail: "none of its sections is served"}
	}
	for _, must := range []struct{ key, value string }{
		{"ice-ufrag", f.side.iceUfrag}, {"ice-pwd", f.side.icePwd}, {"fingerprint", f.side.fingerprint}, {"setup", f.side.setup},
	} {
		if must.value == "" {
			return &InvalidAnswerError{Detail: "it has no " + must.key}
		}
	}
	return nil
}

// tagged is the first part that is served, or nil.
func (f *finisher) tagged() *part {
	for i := range f.parts {
		if f.parts[i].action.Sends() {
			return &f.parts[i]
		}
	}
	return nil
}

func (f *finisher) choice(s *Section) (Choice, bool) {
	if f.options.Plan == nil {
		return Choice{}, false
	}
	return f.options.Plan.Choice(s.MID)
}

// rejects reports whether a part is answered with port 0.
func (f *finisher) rejects(p *part) bool {
	return p.action == Disabled || p.action == Unused && f.options.Unused == UnusedRejected
}

// direction is the answer's: a viewer is sent to and a publisher received from, never both.
func (f *finisher) direction(p *part) Direction {
	switch {
	case !p.action.Sends():
		return Inactive
	case f.offer.Role == RolePublish:
		return RecvOnly
	}
	return SendOnly
}

// orderedMIDs are the mids of the accepted sections in the order of the offer's BUNDLE group.
func (f *finisher) orderedMIDs() []string {
	var mids []string
	for _, mid := range f.offer.Bundle {
		i := slices.IndexFunc(f.parts, func(p part) bool { return p.offered.MID == mid })
		if i >= 0 && !f.rejects(&f.parts[i]) && f.parts[i].offered.Kind != media.Data {
			mids = append(mids, mid)
		}
	}
	return mids
}
