package negotiation

import (
	"slices"
	"strconv"
	"strings"
)

// Normalised returns the offer as a peer-connection library can read it, with the candidates that the zero
// CandidatePolicy allows.
func (o *Offer) Normalised() string { return o.NormalisedWith(CandidatePolicy{}) }

// NormalisedWith writes the offer anew from what was checked: only sections that are to be served, each with
// its mid, ICE credentials, strongest fingerprint and rtcp-mux, in a BUNDLE group of those alone, with no
// format that nobody knows, and with at most 50 candidates.
func (o *Offer) NormalisedWith(policy CandidatePolicy) string {
	w := &writer{}
	writeSession(w, o.version, o.bundled(), o.mixedExtensions, o.ICELite, o.Trickle)
	left := maxCandidates
	for i := range o.Sections {
		if s := &o.Sections[i]; s.serves() {
			left = s.write(w, policy, left)
		}
	}
	return w.String()
}

// writeSession writes the session level of a normalised description.
func writeSession(w *writer, version int, mids []string, mixedExtensions, lite, trickle bool) {
	w.line("v=0")
	w.line("o=- 1 " + strconv.Itoa(version+1) + " IN IP4 0.0.0.0")
	w.line("s=-")
	w.line("t=0 0")
	w.attr("group", "BUNDLE "+strings.Join(mids, " "))
	w.flag("extmap-allow-mixed", mixedExtensions)
	w.flag("ice-lite", lite)
	if trickle {
		w.attr("ice-options", "trickle")
	}
	w.attr("msid-semantic", "WMS *")
}

// bundled is the mids of the sections to serve, the one whose transport counts first.
func (o *Offer) bundled() []string {
	mids := []string{o.Tagged().MID}
	for _, mid := range o.Bundle {
		if s, ok := o.Section(mid); ok && s.serves() && mid != mids[0] {
			mids = append(mids, mid)
		}
	}
	return mids
}

func (s *Section) write(w *writer, policy CandidatePolicy, left int) int {
	formats := slices.DeleteFunc(slices.Concat(s.Formats, s.Repair), s.unknown)
	w.mline(s.Media, 9, "UDP/TLS/RTP/SAVPF", formats)
	w.attr("setup", orActpass(s.Setup))
	w.attr("mid", s.MID)
	w.attr("ice-ufrag", s.ICEUfrag)
	w.attr("ice-pwd", s.ICEPwd)
	w.attr("fingerprint", s.Fingerprints[0].Algorithm+" "+s.Fingerprints[0].Value)
	w.flag("rtcp-mux", true)
	w.flag("rtcp-rsize", s.RTCPReducedSize)
	for i := range formats {
		w.format(&formats[i])
	}
	for _, e := range s.extMaps {
		w.attr("extmap", e)
	}
	w.flag(string(s.Direction), true)
	for _, source := range s.sources {
		if len(s.RIDs) > 0 && strings.HasPrefix(source, "ssrc") {
			continue // layers are told apart by their RIDs: what else is said of them misleads pion
		}
		w.line("a=" + source)
	}
	s.writeRIDs(w, "send")
	for _, c := range s.Candidates[:min(left, len(s.Candidates))] {
		if policy.Allows(c) {
			w.attr("candidate", c)
		}
	}
	w.flag("end-of-candidates", s.EndOfCandidates)
	return left - min(left, len(s.Candidates))
}

// unknown reports whether a format is of no codec that the gateway knows, or retransmits one that is.
func (s *Section) unknown(f Format) bool {
	if !f.repairs() {
		return f.Codec == ""
	}
	return slices.ContainsFunc(s.Formats, func(o Format) bool { return o.Codec == "" && o.RTX != 0 && o.RTX == f.PayloadType })
}

func orActpass(setup string) string {
	if setup == "" {
		return "actpass"
	}
	return setup
}

// writer puts SDP lines together; every line ends in CRLF.
type writer struct{ strings.Builder }

func (w *writer) line(s string) {
	w.WriteString(s)
	w.WriteString("\r\n")
}

func (w *writer) attr(key, value string) {
	w.WriteString("a=")
	w.WriteString(key)
	w.WriteString(":")
	w.line(value)
}

// text is attr for a value that may be missing.
func (w *writer) text(key, value string) {
	if value != "" {
		w.attr(key, value)
	}
}

func (w *writer) flag(key string, on bool) {
	if on {
		w.line("a=" + key)
	}
}

func (w *writer) mline(medium string, port int, proto string, formats []Format) {
	line := "m=" + medium + " " + strconv.Itoa(port) + " " + proto
	for _, f := range formats {
		line += " " + strconv.Itoa(int(f.PayloadType))
	}
	w.line(line)
	w.line("c=IN IP4 0.0.0.0")
}

func (w *writer) format(f *Format) {
	number := strconv.Itoa(int(f.PayloadType)) + " "
	w.attr("rtpmap", f.rtpmap())
	if f.FMTP != "" {
		w.attr("fmtp", number+f.FMTP)
	}
	for _, fb := range f.Feedback {
		w.attr("rtcp-fb", number+fb)
	}
}
