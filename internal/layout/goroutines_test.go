package layout

import (
	"go/ast"
	"slices"
	"testing"
)

// TestGoroutinesAreWatched wants a look for leaked goroutines after the tests of every package that starts any. A
// package for tests is watched by those that use it.
func TestGoroutinesAreWatched(t *testing.T) {
	for _, p := range packages(t) {
		if p.Name == "main" || p.proves() {
			continue
		}
		start := ""
		for _, s := range p.code(t) {
			if at := starts(s); at != "" {
				start = at
			}
		}
		if start != "" && !slices.ContainsFunc(p.tests(t), watches) {
			t.Errorf("%s starts a goroutine, but no TestMain of the package calls goleak.VerifyTestMain", start)
		}
	}
}

// starts is the place where a file starts a goroutine, "" if it starts none.
func starts(s source) string {
	for n := range ast.Preorder(s.file) {
		switch n := n.(type) {
		case *ast.GoStmt:
			return s.at(n)
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if ok && f.Sel.Name == "Go" && len(n.Args) == 1 || isCall(n, "time", "AfterFunc") {
				return s.at(n)
			}
		}
	}
	return ""
}

// watches says whether a test file looks for leaked goroutines after the package's tests.
func watches(s source) bool {
	for n := range ast.Preorder(s.file) {
		if c, ok := n.(*ast.CallExpr); ok && isCall(c, "goleak", "VerifyTestMain") {
			return true
		}
	}
	return false
}

func TestStarts(t *testing.T) {
	for text, want := range map[string]bool{
		"go f()":                    true,
		"g.Go(f)":                   true,
		"time.AfterFunc(d, f)":      true,
		"f()":                       false,
		"g.Wait()":                  false,
		"context.AfterFunc(c, f)":   false,
		"go func() { <-done }()":    true,
		"defer func() { f() }()":    false,
		"wg.Go(func() { f() })":     true,
		"x := func() { go f() }":    true,
		"board.Go(1, 2)":            false,
		"strings.ToUpper(\"go f\")": false,
	} {
		s := parseSource(t, "x.go", []byte("package x\nfunc h() {\n"+text+"\n}\n"))
		if got := starts(s) != ""; got != want {
			t.Errorf("starts(%s) is %v, want %v", text, got, want)
		}
	}
}
