package negotiation

import (
	"slices"
	"strings"
)

// iceOptions is what we say of our ICE, in answers, offers and fragments alike (RFC 9725 4.3.3).
const iceOptions = "trickle ice2"

// write puts the answer together with the given candidates.
func (f *finisher) write(candidates []string) string {
	w := &writer{}
	w.Grow(maxAnswerSize / 2)
	w.line("v=0")
	w.line("o=" + f.side.origin)
	w.line("s=-")
	w.line("t=0 0")
	mids := f.orderedMIDs()
	if len(mids) > 0 {
		w.attr("group", "BUNDLE "+strings.Join(mids, " "))
	}
	w.flag("extmap-allow-mixed", f.offer.mixedExtensions && f.side.mixedExtensions)
	w.flag("ice-lite", f.side.lite)
	w.attr("ice-options", iceOptions)
	w.attr("msid-semantic", "WMS *")
	tagged := f.tagged().offered.MID
	if len(mids) > 0 {
		tagged = mids[0]
	}
	for i := range f.parts {
		p := &f.parts[i]
		if f.rejects(p) {
			p.reject(w)
			continue
		}
		f.accept(w, p)
		if p.offered.MID == tagged {
			for _, c := range candidates {
				w.attr("candidate", c)
			}
			w.flag("end-of-candidates", true)
		}
	}
	return w.String()
}

// reject answers a section with port 0, in the words of its offer (RFC 3264 6).
func (p *part) reject(w *writer) {
	s := p.offered
	w.line("m=" + s.Media + " 0 " + s.Proto + " " + s.formats)
	w.line("c=IN IP4 0.0.0.0")
	if s.MID != "" {
		w.attr("mid", s.MID)
	}
	w.flag(string(Inactive), true)
}

func (f *finisher) accept(w *writer, p *part) {
	s := p.offered
	formats := p.formats
	if p.action == Unused {
		formats = []Format{f.unused(s)}
	}
	w.mline(s.Media, 9, s.Proto, formats)
	w.attr("setup", f.side.setup)
	w.attr("mid", s.MID)
	w.attr("ice-ufrag", f.side.iceUfrag)
	w.attr("ice-pwd", f.side.icePwd)
	w.attr("fingerprint", f.side.fingerprint)
	w.flag("rtcp-mux", true)
	w.flag("rtcp-mux-only", true)
	w.flag("rtcp-rsize", s.RTCPReducedSize)
	for i := range formats {
		w.format(&formats[i])
	}
	for _, e := range p.extMaps {
		w.attr("extmap", e)
	}
	w.flag(string(f.direction(p)), true)
	switch {
	case !p.action.Sends():
	case f.offer.Role == RolePublish:
		s.writeRIDs(w, "recv")
	default:
		writeSources(w, p.sources, f.streamID)
	}
}

// unused is the format that stands for a section in which nothing is sent, without feedback: there is nothing to tell.
func (f *finisher) unused(s *Section) Format {
	format := s.firstUsable()
	format.Feedback = nil
	if f.offer.Role == RolePublish {
		format.FMTP = withoutSprop(format.FMTP)
	}
	return format
}

// withoutSprop is format parameters without those that tell of the sender's own stream: they are of no use in an
// answer to it, and long.
func withoutSprop(fmtp string) string {
	kept := slices.DeleteFunc(strings.Split(fmtp, ";"), func(pair string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(pair)), "sprop-")
	})
	return strings.Join(kept, ";")
}

// writeSources writes the lines on streams, with one stream id for audio and video, so that a browser plays
// them in step.
func writeSources(w *writer, attrs attributes, streamID string) {
	for _, a := range attrs {
		switch a.key {
		case "msid":
			w.attr(a.key, streamID+" "+secondWord(a.value))
		case "ssrc":
			ssrc, rest, _ := strings.Cut(a.value, " ")
			switch {
			case strings.HasPrefix(rest, "cname:"):
				w.attr(a.key, a.value)
			case strings.HasPrefix(rest, "msid:"):
				w.attr(a.key, ssrc+" msid:"+streamID+" "+secondWord(rest))
			}
		case "ssrc-group":
			w.attr(a.key, a.value)
		}
	}
}

func secondWord(s string) string {
	_, rest, _ := strings.Cut(s, " ")
	word, _, _ := strings.Cut(rest, " ")
	if word == "" {
		return "-"
	}
	return word
}
