package negotiation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Layer is one simulcast layer of a publisher.
type Layer struct {
	RID       string // as offered, and as it stands in the RTP packets
	Rendition string // the name under which it is published
}

var renditionName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,15}$`)

// nameLayers gives each layer the name of a rendition: its RID in lower case, or "layer1", "layer2" and so on by
// its place if the RID can't be such a name or another layer has it.
func nameLayers(rids []string) []Layer {
	var layers []Layer
	taken := func(name string) bool {
		return slices.ContainsFunc(layers, func(l Layer) bool { return l.Rendition == name })
	}
	for i, rid := range rids {
		name := strings.ToLower(rid)
		for n := i + 1; !renditionName.MatchString(name) || taken(name); n++ {
			name = fmt.Sprintf("layer%d", n)
		}
		layers = append(layers, Layer{RID: rid, Rendition: name})
	}
	return layers
}

// readRIDs reads which layers a publisher sends (RFC 8851 4, RFC 8853 5.1): the RIDs of its rid lines, in the order
// of its simulcast line if it has one. Alternatives ("1,2") and those that are paused ("~1") count as layers of
// their own, as any of them may come; what only one of the two kinds of line names is ignored.
func (s *Section) readRIDs(attrs attributes) {
	sent := map[string]bool{}
	for _, a := range attrs {
		if a.key != "rid" {
			continue
		}
		f := strings.Fields(a.value)
		if len(f) >= 2 && f[1] == "send" && token(f[0], maxRIDLength) && !sent[f[0]] {
			sent[f[0]] = true
			s.RIDs = append(s.RIDs, f[0])
		}
	}
	if order := simulcastOrder(attrs); len(order) > 0 {
		s.RIDs = slices.DeleteFunc(order, func(rid string) bool { return !sent[rid] })
	}
}

// simulcastOrder is the RIDs of the first simulcast line's list for sending, each once. Old drafts write it
// "send rid=1;2".
func simulcastOrder(attrs attributes) []string {
	var order []string
	listed := map[string]bool{}
	for _, a := range attrs {
		if a.key != "simulcast" {
			continue
		}
		f := strings.Fields(a.value)
		i := slices.Index(f, "send")
		if i < 0 || i+1 >= len(f) {
			continue
		}
		for word := range strings.FieldsFuncSeq(strings.TrimPrefix(f[i+1], "rid="), func(r rune) bool { return r == ';' || r == ',' }) {
			if rid := strings.TrimPrefix(word, "~"); rid != "" && !listed[rid] {
				listed[rid] = true
				order = append(order, rid)
			}
		}
		break
	}
	return order
}

// writeRIDs writes the layers of a section in one direction: "send" or "recv".
func (s *Section) writeRIDs(w *writer, direction string) {
	for _, rid := range s.RIDs {
		w.attr("rid", rid+" "+direction)
	}
	if len(s.RIDs) > 0 {
		w.attr("simulcast", direction+" "+strings.Join(s.RIDs, ";"))
	}
}
