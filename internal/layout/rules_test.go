package layout

import (
	"bytes"
	"go/ast"
	"regexp"
	"slices"
	"testing"
)

// maxLines is the length at which a file is split.
const maxLines = 500

// vague are the names under which packages gather what has no home.
var vague = regexp.MustCompile(`(^|/)(util|utils|common|types|defs|core|base|shared|helper|helpers|misc)$`)

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.name())
		}
		if vague.MatchString(p.name()) {
			t.Errorf("%s: the name does not say what the package does", p.name())
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, p := range packages(t) {
		for _, s := range slices.Concat(p.code(t), p.tests(t)) {
			if n := bytes.Count(s.text, []byte("\n")); n > maxLines && !ast.IsGenerated(s.file) {
				t.Errorf("%s has %d lines: split it, %d is the most", s.path, n, maxLines)
			}
		}
	}
}

func TestCodeKeepsTheRules(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name == "main" || p.proves() {
			continue
		}
		for _, s := range p.code(t) {
			report(t, findings(s))
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, p := range packages(t) {
		if p.system() {
			continue
		}
		for _, s := range p.tests(t) {
			report(t, sleeps(s))
		}
	}
}

func report(t *testing.T, found []string) {
	t.Helper()
	for _, f := range found {
		t.Error(f)
	}
}

// findings are the breaches of the rules in a file that is neither a test nor a command's.
func findings(s source) []string {
	var found []string
	for n := range ast.Preorder(s.file) {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch {
			case isCall(n, "context", "Background") || isCall(n, "context", "TODO"):
				found = append(found, s.at(n)+": the context comes from the caller; only cmd/ and tests make one")
			case isPanic(n) && !s.commented(n):
				found = append(found, s.at(n)+": panic is for a broken promise of our own code: say on the line above which")
			}
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				found = append(found, s.at(n)+": init makes global state; set up in New")
			}
		}
	}
	return found
}

// sleeps are the calls of time.Sleep in a test that has no synctest bubble, where sleeping costs nothing, and that
// don't say why: a peer's slowness may be what is tested.
func sleeps(s source) []string {
	if s.imports("testing/synctest") {
		return nil
	}
	var found []string
	for n := range ast.Preorder(s.file) {
		if c, ok := n.(*ast.CallExpr); ok && isCall(c, "time", "Sleep") && !s.commented(c) {
			found = append(found, s.at(c)+": a test waits for what it expects, uses testing/synctest, or says above why it sleeps")
		}
	}
	return found
}

// isCall says whether c is a call of pkg.name.
func isCall(c *ast.CallExpr, pkg, name string) bool {
	return isSelector(c.Fun, pkg, name)
}

// isSelector says whether e is written pkg.name.
func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

func isPanic(c *ast.CallExpr) bool {
	f, ok := c.Fun.(*ast.Ident)
	return ok && f.Name == "panic"
}

// commented says whether a comment stands on the line of n, or ends on the one above.
func (s source) commented(n ast.Node) bool {
	line := s.line(n.Pos())
	return slices.ContainsFunc(s.file.Comments, func(g *ast.CommentGroup) bool {
		end := s.line(g.End())
		return end == line || end == line-1
	})
}

func TestFindings(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"clean":                  {"func f() {}", 0},
		"background":             {"func f() { use(context.Background()) }", 1},
		"todo":                   {"func f() { use(context.TODO()) }", 1},
		"context of the caller":  {"func f() { use(context.WithCancel(ctx)) }", 0},
		"bare panic":             {"func f() {\n\tpanic(1)\n}", 1},
		"panic with its promise": {"func f() {\n\t// The table has every kind.\n\tpanic(1)\n}", 0},
		"panic, comment behind":  {"func f() {\n\tpanic(1) // the table has every kind\n}", 0},
		"method called panic":    {"func f() { x.panic(1) }", 0},
		"init":                   {"func init() {}", 1},
		"method called init":     {"func (t T) init() {}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := parseSource(t, "x.go", []byte("package x\n\n"+c.body+"\n"))
			if got := findings(s); len(got) != c.want {
				t.Errorf("found %q, want %d", got, c.want)
			}
		})
	}
}

func TestSleeps(t *testing.T) {
	const sleep = "func f() { time.Sleep(1) }\n"
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"plain":     {"package x\nimport \"time\"\n" + sleep, 1},
		"synctest":  {"package x\nimport (\n\"testing/synctest\"\n\"time\"\n)\n" + sleep, 0},
		"no sleeps": {"package x\n", 0},
		"reason":    {"package x\nimport \"time\"\n// The camera is slow.\n" + sleep, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sleeps(parseSource(t, "x_test.go", []byte(c.text))); len(got) != c.want {
				t.Errorf("found %q, want %d", got, c.want)
			}
		})
	}
}
