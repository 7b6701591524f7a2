package negotiation

import (
	"slices"
	"strconv"
	"strings"
)

// answeredFeedback are the feedback messages that make sense in an answer of ours.
var answeredFeedback = []string{"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"}

// iceOptions is what we say of our ICE, in answers, offers and fragments alike (RFC 9725 4.3.3).
const iceOptions = "trickle ice2"

// write puts the answer together with the given candidates.
func (f *finisher) write(candidates []string) string {
	w := &writer{}
	w.line("v=0")
	w.line("o=" + f.document.origin)
	w.line("s=-")
	w.line("t=0 0")
	mids := f.orderedMIDs()
	if len(mids) > 0 {
		w.attr("group", "BUNDLE "+strings.Join(mids, " "))
	}
	w.flag("extmap-allow-mixed", f.offer.mixedExtensions && f.document.session.has("extmap-allow-mixed"))
	w.flag("ice-lite", f.document.session.has("ice-lite"))
	w.attr("ice-options", iceOptions)
	w.attr("msid-semantic", "WMS *")
	tagged := f.transport.offered.MID
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
	w.line("m=" + s.Media + " 0 " + s.Proto + " " + strings.Join(s.formats, " "))
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
		formats = []Format{s.firstUsable()}
	}
	w.mline(s.Media, 9, s.Proto, formats)
	w.attr("setup", f.shared("setup"))
	w.attr("mid", s.MID)
	w.attr("ice-ufrag", f.shared("ice-ufrag"))
	w.attr("ice-pwd", f.shared("ice-pwd"))
	w.attr("fingerprint", f.shared("fingerprint"))
	w.flag("rtcp-mux", true)
	w.flag("rtcp-mux-only", true)
	w.flag("rtcp-rsize", s.RTCPReducedSize)
	for i := range formats {
		f.writeFormat(w, p, &formats[i])
	}
	p.writeExtMaps(w)
	w.flag(string(f.direction(p)), true)
	switch {
	case p.action != Passthrough:
	case f.offer.Role == RolePublish:
		s.writeRIDs(w, "recv")
	default:
		writeSources(w, p.text.attrs, f.streamID)
	}
}

// writeFormat writes a payload type as it was offered, with the library's parameters if it has some, and the
// feedback that both know (RFC 4585 4.2).
func (f *finisher) writeFormat(w *writer, p *part, offered *Format) {
	format := *offered
	format.Feedback = nil
	if p.action == Passthrough {
		number := strings.SplitN(format.rtpmap(), " ", 2)[0]
		for _, a := range p.text.attrs {
			pt, value, _ := strings.Cut(a.value, " ")
			switch {
			case a.key == "fmtp" && pt == number:
				format.FMTP = value
			case a.key == "rtcp-fb" && (pt == number || pt == "*") && p.answers(offered, value) && !slices.Contains(format.Feedback, value):
				format.Feedback = append(format.Feedback, value)
			}
		}
	}
	if f.offer.Role == RolePublish {
		format.FMTP = withoutSprop(format.FMTP)
	}
	w.format(&format)
}

// withoutSprop is format parameters without those that tell of the sender's own stream: they are of no use in an
// answer to it, and long.
func withoutSprop(fmtp string) string {
	kept := slices.DeleteFunc(strings.Split(fmtp, ";"), func(pair string) bool {
		return strings.HasPrefix(strings.ToLower(strings.TrimSpace(pair)), "sprop-")
	})
	return strings.Join(kept, ";")
}

func (p *part) answers(offered *Format, feedback string) bool {
	return slices.Contains(answeredFeedback, feedback) && slices.Contains(offered.Feedback, feedback)
}

// writeExtMaps writes the header extensions that both know under the same id, in the offer's order: pion's changes
// from run to run.
func (p *part) writeExtMaps(w *writer) {
	if p.text == nil || p.action != Passthrough {
		return
	}
	library := map[int]string{}
	for _, a := range p.text.attrs {
		if id, uri, ok := parseExtMap(a.value); ok && a.key == "extmap" {
			library[id] = uri
		}
	}
	for _, value := range p.offered.extMaps {
		if id, uri, _ := parseExtMap(value); knownExtensions[uri] && library[id] == uri {
			w.attr("extmap", strconv.Itoa(id)+" "+uri)
		}
	}
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
