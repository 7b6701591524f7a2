package resource

import (
	"fmt"
	"strings"
	"testing"
)

const current = `"g1-0123456789abcdef"`

var ifMatchCases = []struct {
	name   string
	values []string
	want   match
	bad    bool
}{
	{"A72: none", nil, matchUnsaid, false},
	{"A71: current", []string{current}, matchCurrent, false},
	{"A71: in a list", []string{`"a", ` + current + `,"b"`}, matchCurrent, false},
	{"A71: in the second of two lines", []string{`"a"`, current}, matchCurrent, false},
	{"A72: stale", []string{`"g0-0123456789abcdef"`}, matchNone, false},
	{"A73: any", []string{"*"}, matchAny, false},
	{"A73: any, within quotes", []string{` "*" `}, matchAny, false},
	{"A73: any, within quotes, after the current one", []string{current + `, "*"`}, matchAny, false},
	{"J13: weak", []string{"W/" + current}, matchNone, false},
	{"J13: weak any", []string{`W/"*"`}, matchNone, false},
	{"J13: 1000 others", []string{strings.Repeat(`"x",`, 999) + `"x"`}, matchNone, false},
	{"J13: 1000 others and the current one", []string{strings.Repeat(`"x",`, 1000) + current}, matchCurrent, false},
	{"empty", []string{""}, matchNone, false},
	{"empty elements", []string{` ,, ` + current + ",\t,"}, matchCurrent, false},
	{"comma in a tag", []string{`"a,b", ` + current}, matchCurrent, false},
	{"empty tag", []string{`""`}, matchNone, false},
	{"other letters than ASCII", []string{"\"\xff\xe9\""}, matchNone, false},
	{"the current one in another case", []string{strings.ToUpper(current)}, matchNone, false},
	{"any and more", []string{`*, "a"`}, 0, true},
	{"any in two lines", []string{"*", "*"}, 0, true},
	{"without quotes", []string{"g1-0123456789abcdef"}, 0, true},
	{"quote that does not end", []string{`"a`}, 0, true},
	{"lone quote", []string{`"`}, 0, true},
	{"no comma", []string{`"a" "b"`}, 0, true},
	{"no comma, no blank", []string{`"a""b"`}, 0, true},
	{"blank in a tag", []string{`"a b"`}, 0, true},
	{"weak in lower case", []string{`w/"a"`}, 0, true},
	{"weak alone", []string{`W/`}, 0, true},
}

// A71, A72, A73, J13: If-Match as RFC 9110 has it, and "*" within quotes.
func TestIfMatch(t *testing.T) {
	for _, c := range ifMatchCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseIfMatch(c.values, current)
			if (err != nil) != c.bad || !c.bad && got != c.want {
				t.Errorf("%v %v, want %v", got, err, c.want)
			}
		})
	}
}

// FuzzIfMatch holds the parser to: never a panic; the current tag or * is found only where it stands.
func FuzzIfMatch(f *testing.F) {
	for _, c := range ifMatchCases {
		f.Add(strings.Join(c.values, ","))
	}
	f.Fuzz(func(t *testing.T, value string) {
		m, err := parseIfMatch([]string{value}, current)
		switch {
		case err != nil && m != matchNone:
			t.Errorf("%q: %v with %v", value, m, err)
		case m == matchCurrent && !strings.Contains(value, current), m == matchAny && !strings.Contains(value, "*"), m == matchUnsaid:
			t.Errorf("%q: %v", value, m)
		}
		if err != nil {
			return
		}
		if more, err := parseIfMatch([]string{value, fmt.Sprintf(`"x", %s`, current)}, current); err == nil && more < matchCurrent {
			t.Errorf("%q and the current one: %v", value, more)
		}
	})
}
