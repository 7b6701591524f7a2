package layout

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependenciesAreExplained wants one row in docs/dependencies.md for every direct dependency, and no other.
func TestDependenciesAreExplained(t *testing.T) {
	direct := directDependencies(t)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1)
	var explained []string
	for _, r := range rows {
		explained = append(explained, r[1])
	}
	for _, d := range direct {
		if !slices.Contains(explained, d) {
			t.Errorf("go.mod requires %s, but docs/dependencies.md has no row that says what for", d)
		}
	}
	for _, e := range explained {
		if !slices.Contains(direct, e) {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not require directly", e)
		}
	}
}

// directDependencies lists the modules that go.mod requires for our own code.
func directDependencies(t *testing.T) []string {
	t.Helper()
	read(t, "go.mod") // so that a change of it makes the test run again
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go mod edit -json: %v", err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, r := range mod.Require {
		if !r.Indirect {
			paths = append(paths, r.Path)
		}
	}
	if len(paths) == 0 {
		t.Fatal("go.mod requires nothing directly")
	}
	return paths
}

var decisionName = regexp.MustCompile(`^(\d{4})-[a-z0-9-]+\.md$`)

// TestDecisionsAreIndexed holds the index of docs/decisions to the pages that are there.
func TestDecisionsAreIndexed(t *testing.T) {
	index := read(t, "docs/decisions/README.md")
	// Only the index: the text above it shows the form of a link.
	_, index, _ = strings.Cut(index, "\n## Index\n")
	linked := map[string]bool{}
	for _, m := range regexp.MustCompile(`\]\((\d{4}-[^)]+\.md)\)`).FindAllStringSubmatch(index, -1) {
		linked[m[1]] = true
	}
	numbers := map[string]string{}
	for _, name := range pages(t, "docs/decisions") {
		m := decisionName.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("docs/decisions/%s is not called NNNN-title.md", name)
			continue
		}
		if other := numbers[m[1]]; other != "" {
			t.Errorf("docs/decisions: %s and %s have the same number", other, name)
		}
		numbers[m[1]] = name
		if !linked[name] {
			t.Errorf("docs/decisions/README.md does not link %s", name)
		}
		delete(linked, name)
		if !strings.HasPrefix(read(t, "docs/decisions/"+name), "# "+m[1]+" ") {
			t.Errorf("docs/decisions/%s does not begin with %q and its title", name, "# "+m[1])
		}
	}
	for name := range linked {
		t.Errorf("docs/decisions/README.md links %s, which is not there", name)
	}
}

var changeLine = regexp.MustCompile(`^(Change|Enhancement|Bugfix|Security|Removal): \S.*[^.]\n(\n|$)`)

// TestChangesHaveTheirForm holds the files of changelog/unreleased to what its README says.
func TestChangesHaveTheirForm(t *testing.T) {
	for _, name := range pages(t, "changelog/unreleased") {
		if !changeLine.MatchString(read(t, "changelog/unreleased/"+name)) {
			t.Errorf("changelog/unreleased/%s: the first line is a kind, a colon and one sentence without its full stop, then comes an empty line", name)
		}
	}
}

func TestChangeLine(t *testing.T) {
	for text, want := range map[string]bool{
		"Bugfix: Play cameras\n\nMore.\n": true,
		"Enhancement: Play cameras\n":     true,
		"Bugfix: Play cameras.\n\nMore.":  false,
		"Bugfix: Play cameras\nMore.\n":   false,
		"Fix: Play cameras\n":             false,
		"# Bugfix: Play cameras\n":        false,
		"":                                false,
	} {
		if got := changeLine.MatchString(text); got != want {
			t.Errorf("changeLine matches %q: %v, want %v", text, got, want)
		}
	}
}

// TestOwnersOwnSomething holds the paths of CODEOWNERS to folders that are there, and the packages to an owner.
func TestOwnersOwnSomething(t *testing.T) {
	owned := regexp.MustCompile(`(?m)^/(\S+)/\s`).FindAllStringSubmatch(read(t, "CODEOWNERS"), -1)
	var folders []string
	for _, m := range owned {
		folders = append(folders, m[1])
		if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
			t.Errorf("CODEOWNERS names /%s/, which is not there", m[1])
		}
	}
	for _, p := range packages(t) {
		if !slices.ContainsFunc(folders, func(f string) bool { return p.name() == f || strings.HasPrefix(p.name(), f+"/") }) {
			t.Errorf("CODEOWNERS has no line for %s", p.name())
		}
	}
}

// pages lists the Markdown files of a folder, its README excepted.
func pages(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, folder))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, ".md") && n != "README.md" {
			names = append(names, n)
		}
	}
	return names
}
