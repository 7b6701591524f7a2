package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the path of the module, and so of its first package, were there one at the top.
const module = "sluice"

// root is the module's folder, seen from this one.
const root = "../.."

// pkg is one package of the module, as go list tells it.
type pkg struct {
	ImportPath   string
	Dir          string
	Name         string
	Doc          string
	Imports      []string // those of its tests are not among them
	GoFiles      []string
	CgoFiles     []string
	IgnoredFiles []string `json:"IgnoredGoFiles"` // of other systems and build tags
	TestGoFiles  []string
	XTestGoFiles []string
}

// name is the package's path inside the module, as the tables of this package spell it.
func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// system says whether the package runs whole programs, to try them or to measure them.
func (p pkg) system() bool {
	return p.name() == "e2e" || p.name() == "bench" || strings.HasPrefix(p.name(), "bench/")
}

// proves says whether the package is there for tests only.
func (p pkg) proves() bool { return p.system() || strings.HasPrefix(p.name(), "internal/test") }

// source is one parsed file.
type source struct {
	path string // from the module's folder
	text []byte
	file *ast.File
	fset *token.FileSet
}

// at is the place of a node as path:line.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.line(n.Pos()))
}

func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }

// imports says whether the file imports the package with this path.
func (s source) imports(path string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool {
		return i.Path.Value == `"`+path+`"`
	})
}

// packages lists the module's packages.
func packages(t *testing.T) []pkg {
	t.Helper()
	list, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var listed = sync.OnceValues(func() ([]pkg, error) {
	if err := touchFolders(); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-json", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says: %w", err)
		}
		list = append(list, p)
	}
})

// touchFolders opens all folders of the module. go test remembers what a test opened, but not what a child
// process did: without this a new package would not make it run again.
func touchFolders() error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name := d.Name()
		if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "bin" || name == "artefacts") {
			return fs.SkipDir
		}
		return nil
	})
}

// code parses the files of the package that are not tests, those of other systems and build tags included.
func (p pkg) code(t *testing.T) []source {
	t.Helper()
	ignored := slices.DeleteFunc(slices.Clone(p.IgnoredFiles), func(f string) bool { return strings.HasSuffix(f, "_test.go") })
	return p.parse(t, slices.Concat(p.GoFiles, p.CgoFiles, ignored))
}

// tests parses the package's test files.
func (p pkg) tests(t *testing.T) []source {
	t.Helper()
	return p.parse(t, slices.Concat(p.TestGoFiles, p.XTestGoFiles))
}

func (p pkg) parse(t *testing.T, files []string) []source {
	t.Helper()
	sources := make([]source, 0, len(files))
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(p.Dir, f))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, parseSource(t, p.name()+"/"+f, text))
	}
	return sources
}

func parseSource(t *testing.T, path string, text []byte) source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: path, text: text, file: file, fset: fset}
}

// read returns the text of a file of the module.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
