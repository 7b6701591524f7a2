package conformance

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Test is one test of Go, or one file of tests of the scripts.
type Test struct {
	Package string // its folder, from the top of the repository: "ingest/rtsp"
	Name    string // "TestOffer"; of a script, the file's name
}

// String returns the test as the table shows it: "ingest/rtsp.TestRepair", "web/test/words.test.js".
func (t Test) String() string {
	if t.script() {
		return t.Package + "/" + t.Name
	}
	return t.Package + "." + t.Name
}

func (t Test) script() bool { return strings.HasSuffix(t.Name, scriptTest) }

const scriptTest = ".test.js"

// Tests are the tests that name an id, by id: sorted, each once.
type Tests map[string][]Test

func (ts Tests) add(t Test, comment string) {
	for _, id := range idsIn(comment) {
		if !slices.Contains(ts[id], t) {
			ts[id] = append(ts[id], t)
		}
	}
}

// Scan reads all tests under root, the top of the repository. Folders whose name begins with a dot, testdata and
// node_modules are left out.
func Scan(root string) (Tests, error) {
	found := make(Tests)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		base := d.Name()
		if name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "node_modules") {
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return found.scanFolder(name, filepath.ToSlash(relative))
	})
	if err != nil {
		return nil, fmt.Errorf("look for tests: %w", err)
	}
	for _, tests := range found {
		slices.SortFunc(tests, func(a, b Test) int {
			return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Name, b.Name))
		})
	}
	return found, nil
}

func (ts Tests) scanFolder(folder, relative string) error {
	goFiles, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return err
	}
	scripts, err := filepath.Glob(filepath.Join(folder, "*"+scriptTest))
	if err != nil {
		return err
	}
	for _, name := range scripts {
		if err = ts.scanScript(name, relative); err != nil {
			return err
		}
	}
	return ts.scanGo(goFiles, relative)
}

var scriptComment = regexp.MustCompile(`(?m)(?:^|\s)//(.*)$`)

func (ts Tests) scanScript(name, relative string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for _, m := range scriptComment.FindAllStringSubmatch(string(text), -1) {
		ts.add(Test{relative, path.Base(filepath.ToSlash(name))}, m[1])
	}
	return nil
}
