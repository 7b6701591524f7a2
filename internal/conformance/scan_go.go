package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

var testName = regexp.MustCompile(`^(Test|Fuzz)([^a-z].*)?$`)

// declaration is one of a package's test files, with what it says of requirements.
type declaration struct {
	test  string   // the name of a test; "" for others
	names []string // of variables and constants
	says  string   // its own comments, those in it, and the ids that its strings begin with
	uses  map[string]bool
}

// scanGo reads the test files of one folder.
func (ts Tests) scanGo(files []string, relative string) error {
	var all []declaration
	set := token.NewFileSet()
	for _, name := range files {
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range f.Decls {
			all = append(all, declare(f, d))
		}
	}
	for _, d := range all {
		if d.test == "" {
			continue
		}
		t := Test{relative, d.test}
		ts.add(t, d.says)
		for _, other := range all {
			if d.reads(other) {
				ts.add(t, other.says)
			}
		}
	}
	return nil
}

func (d declaration) reads(other declaration) bool {
	for _, name := range other.names {
		if d.uses[name] {
			return true
		}
	}
	return false
}

func declare(f *ast.File, d ast.Decl) declaration {
	out := declaration{uses: make(map[string]bool)}
	start := d.Pos()
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil && testName.MatchString(d.Name.Name) && d.Name.Name != "TestMain" {
			out.test = d.Name.Name
		}
		if d.Doc != nil {
			start = d.Doc.Pos()
		}
	case *ast.GenDecl:
		out.names = variables(d)
		if d.Doc != nil {
			start = d.Doc.Pos()
		}
	}
	out.says = commentsBetween(f, start, d.End())
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			out.uses[n.Name] = true
		case *ast.BasicLit:
			out.says += rowIDs(n.Value) + "\n"
		}
		return true
	})
	return out
}

// variables names what a declaration of variables declares: tables that several tests may share.
func variables(d *ast.GenDecl) []string {
	var names []string
	for _, s := range d.Specs {
		if v, ok := s.(*ast.ValueSpec); ok {
			for _, n := range v.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

var rowName = regexp.MustCompile(`^["\x60]([A-Z][0-9]{1,3}(?:(?:, | to )[A-Z][0-9]{1,3})*)[ :"\x60]`)

// rowIDs returns the ids that the name of a table's row begins with: "J140 packets before PLAY".
func rowIDs(literal string) string {
	if m := rowName.FindStringSubmatch(literal); m != nil {
		return m[1]
	}
	return ""
}

func commentsBetween(f *ast.File, start, end token.Pos) string {
	var b strings.Builder
	for _, group := range f.Comments {
		if group.Pos() >= start && group.Pos() < end {
			b.WriteString(group.Text() + "\n")
		}
	}
	return b.String()
}
