//go:build gstreamer

package main

import (
	"regexp"
	"strings"
)

// Values of the fields of caps: a list, a range or a word, and one in quotation marks. None holds a "!", at which
// GStreamer ends caps.
const (
	plainValue  = `\[[^\]!]*\]|\{[^}!]*\}|[^\s,;!"'(){}\[\]]+`
	quotedValue = `"(?:[^"\\!]|\\[^!])*"`
)

// capsOf matches caps whose fields have such values: names, features, fields, and the same again behind a semicolon.
func capsOf(value string) string {
	one := `[a-z]+/[A-Za-z][\w.+-]*(?:\(\s*[\w:]+(?:\s*,\s*[\w:]+)*\s*\))?` +
		`(?:\s*,\s*[\w-]+\s*=\s*(?:\(\s*[\w:]+\s*\)\s*)?(?:` + value + `))*`
	return one + `(?:\s*;\s*` + one + `)*`
}

// capsAt finds caps at the start of a text, in quotation marks as for a shell or in none.
var capsAt = regexp.MustCompile(`^\s*(?:'\s*(` + capsOf(plainValue+`|`+quotedValue) + `)\s*'|"\s*(` +
	capsOf(plainValue) + `)\s*"|(` + capsOf(plainValue+`|`+quotedValue) + `))`)

const blanks = " \t\r\n"

// closeCaps makes elements of the caps that chains of a text end in: GStreamer takes caps only between two elements,
// and users end a source in them. Quotation marks around caps, which a command line needs, are taken off.
func closeCaps(text string) string {
	var out strings.Builder
	for text != "" {
		n := toLink(text)
		out.WriteString(text[:n])
		text = text[n:]
		m := capsAt.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		caps := m[1] + m[2] + m[3]
		text = text[len(m[0]):]
		if strings.HasPrefix(strings.TrimLeft(text, blanks), "!") {
			out.WriteString(" " + caps)
			continue
		}
		out.WriteString(` capsfilter caps="` + quoted.Replace(caps) + `"`)
	}
	return out.String()
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// toLink is how far it is behind the next "!" that is not quoted, else to the end.
func toLink(text string) int {
	var open byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case open != 0:
			if c == open {
				open = 0
			}
		case c == '"' || c == '\'':
			open = c
		case c == '!':
			return i + 1
		}
	}
	return len(text)
}
