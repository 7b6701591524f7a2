package conformance

import (
	"fmt"
	"regexp"
	"strconv"
)

// maxSpan bounds a range of ids, so that no slip of the pen makes a test prove everything.
const maxSpan = 60

// named finds an id, or two with "to" or a dash between.
var named = regexp.MustCompile(`\b([A-Z][0-9]{1,3})\b(?:(?: to |–|-)([A-Z][0-9]{1,3})\b)?`)

// idsIn lists the ids that a comment names. Not all are of requirements: H264 looks like one too.
func idsIn(comment string) []string {
	var ids []string
	for _, m := range named.FindAllStringSubmatch(comment, -1) {
		ids = append(ids, span(m[1], m[2])...)
	}
	return ids
}

// span lists the ids from first to last, which have one letter; both alone if they don't make a range. The last
// may be "".
func span(first, last string) []string {
	if last == "" {
		return []string{first}
	}
	from, _ := strconv.Atoi(first[1:])
	to, _ := strconv.Atoi(last[1:])
	if first[0] != last[0] || to < from || to-from > maxSpan {
		return []string{first, last}
	}
	var ids []string
	for n := from; n <= to; n++ {
		ids = append(ids, fmt.Sprintf("%c%d", first[0], n))
	}
	return ids
}
