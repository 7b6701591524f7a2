package negotiation

import (
	"slices"
	"strings"
)

// transportKeys are the attributes that the sections of a BUNDLE group have in common (RFC 8859 5, TRANSPORT).
var transportKeys = []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup", "rtcp-mux", "rtcp-mux-only"}

// inherit gives bundled sections that say nothing of a transport what the first of their group says (RFC 9143 7.1.3):
// those that are bundle-only, or in an answer all that have no ICE credentials.
func (d *document) inherit(answer bool) {
	mids := d.bundled()
	tagged := slices.IndexFunc(d.sections, func(t sectionText) bool {
		return t.port != 0 && t.attrs.has("ice-ufrag") && (answer || slices.Contains(mids, value(t.attrs, nil, "mid")))
	})
	if tagged < 0 {
		return
	}
	shared := d.sections[tagged].attrs.transport()
	for i := range d.sections {
		t := &d.sections[i]
		bundled := answer || t.attrs.has("bundle-only") && slices.Contains(mids, value(t.attrs, nil, "mid"))
		if !bundled || t.attrs.has("ice-ufrag") || d.session.has("ice-ufrag") {
			continue
		}
		own := t.attrs
		for _, a := range shared {
			if !own.has(a.key) {
				t.attrs = append(t.attrs, a)
			}
		}
	}
}

// transport is the lines of a transport among attributes, as many as others may have of it.
func (as attributes) transport() attributes {
	var lines attributes
	for _, a := range as {
		if slices.Contains(transportKeys, a.key) && len(lines) < maxShared {
			lines = append(lines, a)
		}
	}
	return lines
}

// bundled is the mids of the BUNDLE groups.
func (d *document) bundled() []string {
	var mids []string
	for _, a := range d.session {
		if rest, ok := strings.CutPrefix(a.value, "BUNDLE "); ok && a.key == "group" {
			mids = append(mids, strings.Fields(rest)...)
		}
	}
	return mids
}
