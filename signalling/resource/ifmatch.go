package resource

import (
	"errors"
	"strings"
)

// match is what an If-Match header comes to for a resource as it is.
type match int

const (
	matchUnsaid  match = iota // there is no such header
	matchNone                 // it names other states than the present one
	matchCurrent              // it names the present state
	matchAny                  // it is "*"
)

var (
	errNoTag  = errors.New(`an entity tag stands in double quotes, like "g1-9f3c", or is *`)
	errNoList = errors.New("entity tags are separated by commas")
)

// parseIfMatch compares the values of If-Match with the entity tag of the present state, by the strong comparison:
// a weak tag matches nothing. "*" counts as * within quotes as well, as RFC 9725 prints it (A73).
//
// Specification: RFC 9110 13.1.1, 8.8.3.
func parseIfMatch(values []string, current string) (match, error) {
	if len(values) == 0 {
		return matchUnsaid, nil
	}
	list := strings.Trim(strings.Join(values, ","), " \t")
	if list == "*" {
		return matchAny, nil
	}
	found := matchNone
	for list != "" {
		if list[0] == ',' { // a list may have empty elements (RFC 9110 5.6.1)
			list = strings.TrimLeft(list[1:], " \t")
			continue
		}
		tag, rest, err := cutTag(list)
		if err != nil {
			return matchNone, err
		}
		switch tag {
		case `"*"`:
			found = matchAny
		case current:
			found = max(found, matchCurrent)
		}
		list = rest
	}
	return found, nil
}

// cutTag cuts the first entity tag off a list.
func cutTag(list string) (tag, rest string, err error) {
	opaque := strings.TrimPrefix(list, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return "", "", errNoTag
	}
	end := strings.IndexByte(opaque[1:], '"') + 2
	if end < 2 || strings.ContainsFunc(opaque[1:end-1], notInTag) {
		return "", "", errNoTag
	}
	length := len(list) - len(opaque) + end
	tag, rest = list[:length], strings.TrimLeft(list[length:], " \t")
	if rest != "" && rest[0] != ',' {
		return "", "", errNoList
	}
	return tag, rest, nil
}

// notInTag tells what an entity tag can't hold, quotes aside.
func notInTag(r rune) bool { return r <= ' ' || r == 0x7f }
