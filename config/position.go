package config

import (
	"slices"
	"unicode/utf8"
)

// lineIndex turns offsets in a text into lines and columns without reading the text anew each time.
type lineIndex struct {
	text   []byte
	starts []int
}

func newLineIndex(text []byte) *lineIndex {
	x := &lineIndex{text: text, starts: []int{0}}
	for i, c := range text {
		if c == '\n' {
			x.starts = append(x.starts, i+1)
		}
	}
	return x
}

// at returns the line and the column, in characters, of the byte at offset; both count from 1.
func (x *lineIndex) at(offset int) (line, column int) {
	i, found := slices.BinarySearch(x.starts, offset)
	if !found {
		i--
	}
	return i + 1, utf8.RuneCount(x.text[x.starts[i]:offset]) + 1
}

// offset returns where part, a slice of the text, begins in it. Parts of one array end at the same capacity.
func (x *lineIndex) offset(part []byte) int {
	return min(max(cap(x.text)-cap(part), 0), len(x.text))
}
