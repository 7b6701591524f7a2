package config

import "bytes"

// maxNesting is how deep lists and tables may stand in each other, and how many parts a key may have. The
// parser calls itself for each level, so a file without bounds could use up the stack.
const maxNesting = 32

// nestedTooDeep returns the offset of the first bracket that is deeper than maxNesting, -1 if there is none.
func nestedTooDeep(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '#':
			i += lineLength(text[i:])
		case '"', '\'':
			i += stringLength(text[i:]) - 1
		case '[', '{':
			if depth++; depth > maxNesting {
				return i
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return -1
}

func lineLength(text []byte) int {
	if n := bytes.IndexByte(text, '\n'); n >= 0 {
		return n
	}
	return len(text)
}

// stringLength returns the length of the TOML string at the start of text, with its quotation marks. One that
// does not end is a fault for the parser to tell; it reaches to where the parser gives up.
func stringLength(text []byte) int {
	quotes := text[:1]
	if triple := bytes.Repeat(quotes, 3); bytes.HasPrefix(text, triple) {
		quotes = triple
	}
	for i := len(quotes); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quotes[0] == '"':
			i++
		case text[i] == '\n' && len(quotes) == 1:
			return i
		case bytes.HasPrefix(text[i:], quotes):
			return i + len(quotes) + quotesInside(text[i:], quotes)
		}
	}
	return len(text)
}

// quotesInside counts the marks before the closing three that belong to the text: a string may end in two.
func quotesInside(end, quotes []byte) int {
	n := 0
	for len(quotes) == 3 && n < 2 && bytes.HasPrefix(end[n+1:], quotes) {
		n++
	}
	return n
}
