package pipeline

import "strings"

// scan goes through the words of a pipeline's text: elements, references and properties, without the quotation marks
// and backslashes in them. "!", parentheses and white space lie between words unless they are quoted.
type scan struct {
	rest string
	word string
	open byte // the quotation mark that is not closed, at the end of the text
}

func newScan(text string) *scan { return &scan{rest: text} }

// next finds the next word; false at the end of the text.
func (s *scan) next() bool {
	s.rest = strings.TrimLeft(s.rest, separators)
	if s.rest == "" {
		return false
	}
	var b strings.Builder
	i := 0
	for ; i < len(s.rest) && (s.open != 0 || strings.IndexByte(separators, s.rest[i]) < 0); i++ {
		switch c := s.rest[i]; {
		case c == '\\':
			if i++; i < len(s.rest) {
				b.WriteByte(s.rest[i])
			}
		case s.open == 0 && (c == '"' || c == '\''):
			s.open = c
		case c == s.open:
			s.open = 0
		default:
			b.WriteByte(c)
		}
	}
	s.rest, s.word = s.rest[min(i, len(s.rest)):], b.String()
	return true
}

const separators = " \t\r\n!()"
