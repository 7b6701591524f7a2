package negotiation

import (
	"fmt"
	"slices"
	"strings"
)

// OfferOptions is what FinishOffer cannot read from the library's text.
type OfferOptions struct {
	Candidates []string // values of the a=candidate lines to tell; nil: those of the library's text
	Complete   bool     // no candidates will follow
	StreamID   string   // msid of all that is sent; "": the first of the library's text
	Loopback   bool     // the peer is on this machine, so loopback candidates come first and not last
}

// FinishOffer turns an offer of a library into the one that is sent: all sections in one BUNDLE group, each with
// setup:actpass, rtcp-mux and rtcp-mux-only, one stream id for all that is sent, header extensions that we know,
// and the candidates, each once and sorted as in an answer, in the first section. It returns *InvalidOfferError if the
// library's offer can't be used.
func FinishOffer(library string, o OfferOptions) (string, error) {
	d, err := scan(library)
	if err != nil {
		return "", &InvalidOfferError{Detail: err.Error()}
	}
	f := &offerFinisher{document: d, options: o, streamID: o.StreamID}
	if err := f.check(); err != nil {
		return "", err
	}
	return f.write(), nil
}

// offerFinisher holds one offer of ours while it is rewritten.
type offerFinisher struct {
	document *document
	options  OfferOptions
	mids     []string
	streamID string
}

func (f *offerFinisher) check() error {
	d := f.document
	if len(d.sections) == 0 {
		return &InvalidOfferError{Detail: "it has no sections"}
	}
	for i := range d.sections {
		attrs := d.sections[i].attrs
		mid, _, err := attrs.single("mid")
		if err != nil || mid.value == "" || slices.Contains(f.mids, mid.value) {
			return &InvalidOfferError{Detail: fmt.Sprintf("its section %d has no mid of its own", i+1)}
		}
		f.mids = append(f.mids, mid.value)
		for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
			if value(attrs, d.session, key) == "" {
				return &InvalidOfferError{Detail: "it has no " + key}
			}
		}
		if msid := value(attrs, nil, "msid"); f.streamID == "" {
			f.streamID, _, _ = strings.Cut(msid, " ")
		}
	}
	return nil
}

// value is an attribute at the level of the section or of the session.
func value(section, session attributes, key string) string {
	for _, level := range []attributes{section, session} {
		for _, a := range level {
			if a.key == key {
				return a.value
			}
		}
	}
	return ""
}

func (f *offerFinisher) write() string {
	d, w := f.document, &writer{}
	w.line("v=0")
	w.line("o=" + d.origin)
	w.line("s=-")
	w.line("t=0 0")
	w.attr("group", "BUNDLE "+strings.Join(f.mids, " "))
	w.flag("extmap-allow-mixed", d.session.has("extmap-allow-mixed"))
	w.attr("ice-options", iceOptions)
	w.attr("msid-semantic", "WMS *")
	for i := range d.sections {
		f.writeSection(w, &d.sections[i], f.mids[i])
		if i > 0 {
			continue
		}
		for _, c := range f.candidates() {
			w.attr("candidate", c)
		}
		w.flag("end-of-candidates", f.options.Complete)
	}
	return w.String()
}

func (f *offerFinisher) writeSection(w *writer, t *sectionText, mid string) {
	w.line("m=" + t.media + " 9 UDP/TLS/RTP/SAVPF " + strings.Join(t.formats, " "))
	w.line("c=IN IP4 0.0.0.0")
	w.attr("setup", "actpass")
	w.attr("mid", mid)
	for _, key := range []string{"ice-ufrag", "ice-pwd", "fingerprint"} {
		w.attr(key, value(t.attrs, f.document.session, key))
	}
	w.flag("rtcp-mux", true)
	w.flag("rtcp-mux-only", true)
	w.flag("rtcp-rsize", t.attrs.has("rtcp-rsize"))
	for _, a := range t.attrs {
		switch a.key {
		case "rtpmap", "fmtp", "rtcp-fb", "rid", "simulcast":
			w.attr(a.key, a.value)
		case "extmap":
			if _, uri, ok := parseExtMap(a.value); ok && knownExtensions[uri] {
				w.attr(a.key, a.value)
			}
		case string(SendOnly), string(RecvOnly), string(SendRecv), string(Inactive):
			w.flag(a.key, true)
		}
	}
	writeSources(w, t.attrs, f.streamID)
}

// candidates are those that are told, each once and of the first component only.
func (f *offerFinisher) candidates() []string {
	if f.options.Candidates == nil {
		return sortCandidates(f.document.candidates(), f.options.Loopback)
	}
	return sortCandidates(f.options.Candidates, f.options.Loopback)
}
