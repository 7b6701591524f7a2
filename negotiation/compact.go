package negotiation

import (
	"slices"
	"strings"
)

// compact copies what an offer keeps out of its text, which is several times as long and would live as long as the
// session otherwise.
func (o *Offer) compact() {
	k := &keeper{seen: make(map[string]string, 64)}
	for i := range o.Sections {
		o.Sections[i].compact(k)
	}
	o.Bundle = k.strings(o.Bundle)
	k.string(&o.Setup)
}

func (s *Section) compact(k *keeper) {
	for _, field := range []*string{
		&s.MID, &s.Media, &s.Proto, &s.formats, (*string)(&s.Kind), (*string)(&s.Direction),
		&s.Setup, &s.ICEUfrag, &s.ICEPwd,
	} {
		k.string(field)
	}
	s.Candidates, s.extMaps, s.sources = k.strings(s.Candidates), k.strings(s.extMaps), k.strings(s.sources)
	s.RIDs, s.Layers = k.strings(s.RIDs), nameLayers(s.RIDs)
	for i := range s.Fingerprints {
		k.string(&s.Fingerprints[i].Algorithm)
		k.string(&s.Fingerprints[i].Value)
	}
	var feedback []string // of the format before, for those that have the same
	for _, list := range [][]Format{s.Formats, s.Repair} {
		for i := range list {
			f := &list[i]
			k.string(&f.Name)
			k.string(&f.FMTP)
			if slices.Equal(f.Feedback, feedback) {
				f.Feedback = feedback
				continue
			}
			f.Feedback = k.strings(f.Feedback)
			feedback = f.Feedback
		}
	}
}

// keeper copies short strings, each once: feedback and credentials stand in an offer many times.
type keeper struct {
	seen  map[string]string
	chunk *strings.Builder // where copies go; never grows, so those that are out stay valid
}

// keeperChunk is the bytes of a chunk: a browser's offer takes two or three.
const keeperChunk = 1024

func (k *keeper) string(s *string) {
	if *s == "" {
		return
	}
	kept, ok := k.seen[*s]
	if !ok {
		kept = k.copy(*s)
		k.seen[kept] = kept
	}
	*s = kept
}

func (k *keeper) copy(s string) string {
	if k.chunk == nil || k.chunk.Cap()-k.chunk.Len() < len(s) {
		k.chunk = &strings.Builder{}
		k.chunk.Grow(max(keeperChunk, len(s)))
	}
	start := k.chunk.Len()
	k.chunk.WriteString(s)
	return k.chunk.String()[start:]
}

// strings copies all strings of a list and gives it without room for more.
func (k *keeper) strings(all []string) []string {
	for i := range all {
		k.string(&all[i])
	}
	return slices.Clip(all)
}
