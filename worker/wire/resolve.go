package wire

import (
	"maps"
	"slices"
	"strings"
)

// Resolve is Pipeline with each {name} of Elements replaced by its first candidate that can be had. A candidate is
// pipeline text: one element with its properties, or several joined by "!". exists tells whether an element is
// installed. If no candidate of a name will do, text is empty and missing is the element that the first one lacks.
// Braces that name nothing in Elements, such as lists in caps, stay as they are.
func (j *Job) Resolve(exists func(element string) bool) (text, missing string) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(j.Elements)) {
		mark := "{" + name + "}"
		if !strings.Contains(j.Pipeline, mark) {
			continue
		}
		candidate, lacks := choose(j.Elements[name], exists)
		if lacks != "" {
			return "", lacks
		}
		pairs = append(pairs, mark, candidate)
	}
	return strings.NewReplacer(pairs...).Replace(j.Pipeline), ""
}

// choose is the first candidate that lacks nothing, else what the first one lacks.
func choose(candidates []string, exists func(string) bool) (text, missing string) {
	for _, c := range candidates {
		lacks := firstMissing(c, exists)
		if lacks == "" {
			return c, ""
		}
		if missing == "" {
			missing = lacks
		}
	}
	return "", missing
}

// firstMissing looks at the first word between each two "!"; what holds a "/" is caps.
func firstMissing(text string, exists func(string) bool) string {
	for part := range strings.SplitSeq(text, "!") {
		words := strings.Fields(part)
		if len(words) == 0 || strings.Contains(words[0], "/") {
			continue
		}
		if !exists(words[0]) {
			return words[0]
		}
	}
	return ""
}
