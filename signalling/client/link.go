package client

import "strings"

// maxLinks is how many links of an answer are looked at.
const maxLinks = 64

// link is one link-value.
//
// Specification: RFC 8288 3.
type link struct {
	target     string            // as it is written
	relations  []string          // in lower case
	parameters map[string]string // by name in lower case; of several of one name the first
}

// parseLinks reads the Link lines of a header. Whatever is not a link is skipped up to the next comma.
func parseLinks(lines []string) []link {
	var all []link
	for _, line := range lines {
		p := linkParser{rest: line}
		for len(all) < maxLinks && p.rest != "" {
			if l, ok := p.link(); ok {
				all = append(all, l)
			}
			p.skipToComma()
		}
	}
	return all
}

// linkParser goes through one line.
type linkParser struct{ rest string }

func (p *linkParser) blanks() { p.rest = strings.TrimLeft(p.rest, " \t") }

// take takes one byte if it is next after blanks.
func (p *linkParser) take(c byte) bool {
	p.blanks()
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// link reads "<target>; name=value; …".
func (p *linkParser) link() (link, bool) {
	if !p.take('<') {
		return link{}, false
	}
	end := strings.IndexByte(p.rest, '>')
	if end < 0 {
		p.rest = ""
		return link{}, false
	}
	l := link{target: strings.TrimSpace(p.rest[:end]), parameters: map[string]string{}}
	p.rest = p.rest[end+1:]
	for p.take(';') {
		p.blanks()
		name := strings.ToLower(p.token())
		value := ""
		if p.take('=') {
			value = p.value()
		}
		if _, given := l.parameters[name]; name != "" && !given {
			l.parameters[name] = value
		}
	}
	l.relations = strings.Fields(strings.ToLower(l.parameters["rel"]))
	return l, true
}

// token reads up to a delimiter.
func (p *linkParser) token() string {
	end := strings.IndexAny(p.rest, "=;, \t\"")
	if end < 0 {
		end = len(p.rest)
	}
	token := p.rest[:end]
	p.rest = p.rest[end:]
	return token
}

// value reads a quoted string or a token. Base64 is often written without the quotes that its "=" asks for.
func (p *linkParser) value() string {
	if p.take('"') {
		return p.quoted()
	}
	end := strings.IndexAny(p.rest, ";, \t")
	if end < 0 {
		end = len(p.rest)
	}
	value := p.rest[:end]
	p.rest = p.rest[end:]
	return value
}

// quoted reads to the closing quote (RFC 9110 5.6.4). One that is missing stands at the end of the line.
func (p *linkParser) quoted() string {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	p.rest = ""
	return b.String()
}

// skipToComma goes over what is left of a link, and over the comma after it.
func (p *linkParser) skipToComma() {
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch c {
		case ',':
			return
		case '"':
			p.quoted()
		}
	}
}
