package conformance

import (
	_ "embed" // for the two lists
	"fmt"
	"regexp"
	"strings"
)

// Requirement is one line that the project holds itself to.
type Requirement struct {
	ID       string // such as "A34"
	Strength string // M must, S should, N must not, Y may
	Title    string
	// Note says why there is no test, or what the tests leave out; "" if there is nothing to say.
	Note string
}

// Part is a group of requirements under one heading, in the order of the list.
type Part struct {
	Title        string // with its letter: "A WHIP: who publishes"
	Requirements []Requirement
}

//go:embed requirements.txt
var requirementList string

//go:embed notes.txt
var noteList string

var (
	partLine        = regexp.MustCompile(`^== ([A-Z] \S.*)$`)
	requirementLine = regexp.MustCompile(`^([A-Z][0-9]+) ([MSNY]) (\S.*)$`)
	noteLine        = regexp.MustCompile(`^([A-Z][0-9]+)(?:-([A-Z][0-9]+))? (\S.*)$`)
)

// Requirements returns the whole list. An error names the line that is malformed.
func Requirements() ([]Part, error) { return parseRequirements(requirementList, noteList) }

func parseRequirements(list, notes string) ([]Part, error) {
	words, err := parseNotes(notes, list)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for line := range lines(list) {
		if m := partLine.FindStringSubmatch(line); m != nil {
			parts = append(parts, Part{Title: m[1]})
			continue
		}
		m := requirementLine.FindStringSubmatch(line)
		if m == nil || len(parts) == 0 {
			return nil, fmt.Errorf("requirements.txt: %q is neither a part nor a requirement of one", line)
		}
		last := &parts[len(parts)-1]
		last.Requirements = append(last.Requirements, Requirement{ID: m[1], Strength: m[2], Title: m[3], Note: words[m[1]]})
	}
	return parts, nil
}

// parseNotes returns the notes by id. What a note names must be in the list of requirements.
func parseNotes(text, list string) (map[string]string, error) {
	notes := make(map[string]string)
	for line := range lines(text) {
		m := noteLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("notes.txt: %q is not an id and a note", line)
		}
		for _, id := range m[1:3] {
			if id != "" && !strings.Contains(list, "\n"+id+" ") {
				return nil, fmt.Errorf("notes.txt: %s is not in requirements.txt", id)
			}
		}
		for _, id := range span(m[1], m[2]) {
			notes[id] = m[3]
		}
	}
	return notes, nil
}

// lines yields what is neither empty nor a comment.
func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}
