package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxShown is how many tests a row names.
const maxShown = 3

// The table stands between these lines of the document.
const (
	begin = "<!-- make conformance writes what follows -->"
	end   = "<!-- make conformance wrote what is above -->"
)

// Table returns the tables of all parts in Markdown, with a count for each.
func Table(parts []Part, tests Tests, results Results) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", p.Title, p.count(tests, results))
		b.WriteString("| line | | requirement | tests | result |\n|---|---|---|---|---|\n")
		for _, r := range p.Requirements {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.ID, r.Strength, r.Title, shown(tests[r.ID]), r.result(tests[r.ID], results))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p Part) count(tests Tests, results Results) string {
	var tested, passed int
	for _, r := range p.Requirements {
		if ts := tests[r.ID]; len(ts) > 0 {
			tested++
			if results.of(ts) == Pass {
				passed++
			}
		}
	}
	return fmt.Sprintf("%d lines; %d have tests, of which %d pass.", len(p.Requirements), tested, passed)
}

func shown(tests []Test) string {
	if len(tests) == 0 {
		return "none"
	}
	var names []string
	for i, t := range tests {
		if i == maxShown {
			names = append(names, "…")
			break
		}
		names = append(names, "`"+t.String()+"`")
	}
	return strings.Join(names, ", ")
}

func (r Requirement) result(tests []Test, results Results) string {
	var words []string
	if len(tests) > 0 {
		words = append(words, string(results.of(tests)))
	}
	if r.Note != "" {
		words = append(words, r.Note)
	}
	if len(words) == 0 {
		return "—"
	}
	return strings.Join(words, "; ")
}

// Replace returns the document with the table between its two marks. It fails if the document lacks them.
func Replace(document, table string) (string, error) {
	before, rest, ok := strings.Cut(document, begin+"\n")
	_, after, closed := strings.Cut(rest, end+"\n")
	if !ok || !closed {
		return "", fmt.Errorf("the document lacks the lines %q and %q", begin, end)
	}
	return before + begin + "\n\n" + table + end + "\n" + after, nil
}

var row = regexp.MustCompile(`(?m)^\| ([A-Z][0-9]+) \| ([MSNY]) \| (.*?) \| (.*?) \| .*$`)

// Stale lists the ids whose row in the document is not what Table would write, results aside: their requirement or
// their tests changed, or the row is missing or too many.
func Stale(document string, parts []Part, tests Tests) []string {
	_, document, _ = strings.Cut(document, begin+"\n")
	document, _, _ = strings.Cut(document, end+"\n")
	rows := make(map[string]string)
	var stale []string
	for _, m := range row.FindAllStringSubmatch(document, -1) {
		rows[m[1]] = strings.Join(m[2:], " | ")
	}
	for _, p := range parts {
		for _, r := range p.Requirements {
			if rows[r.ID] != strings.Join([]string{r.Strength, r.Title, shown(tests[r.ID])}, " | ") {
				stale = append(stale, r.ID)
			}
			delete(rows, r.ID)
		}
	}
	return append(stale, slices.Sorted(maps.Keys(rows))...)
}
