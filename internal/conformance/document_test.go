package conformance

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	root     = "../.."
	document = root + "/docs/conformance.md"
)

var (
	update  = flag.Bool("update", false, "write the table of docs/conformance.md")
	results = flag.String("results", "", "with -update: the file that go test -json printed")
)

// The table says which tests prove a line, now and not once upon a time. How they went, `make conformance` finds out.
func TestTableIsFresh(t *testing.T) {
	parts, tests := requirements(t), scan(t)
	text := read(t, document)
	if *update {
		text = updated(t, text, parts, tests)
	}
	if stale := Stale(text, parts, tests); len(stale) > 0 {
		t.Errorf("docs/conformance.md is out of date for %s: run make conformance", strings.Join(stale, ", "))
	}
}

func updated(t *testing.T, text string, parts []Part, tests Tests) string {
	t.Helper()
	run := make(Results)
	if *results != "" {
		f, err := os.Open(*results)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if run, err = ReadResults(f, "sluice"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := Replace(text, Table(parts, tests, run))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(document, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return text
}

// A line stands once, under its letter, and fits into a table.
func TestListsFitTogether(t *testing.T) {
	var ids []string
	for _, p := range requirements(t) {
		for _, r := range p.Requirements {
			if slices.Contains(ids, r.ID) {
				t.Errorf("%s stands in requirements.txt twice", r.ID)
			}
			if r.ID[0] != p.Title[0] {
				t.Errorf("%s stands under %s", r.ID, p.Title)
			}
			if len([]rune(r.Title)) > 90 || strings.Contains(r.Title, "|") {
				t.Errorf("%s: the title does not fit into a table", r.ID)
			}
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		t.Fatal("no requirements")
	}
}

func requirements(t *testing.T) []Part {
	t.Helper()
	parts, err := Requirements()
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func scan(t *testing.T) Tests {
	t.Helper()
	tests, err := Scan(root)
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
