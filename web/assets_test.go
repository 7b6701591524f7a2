package web

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var (
	referenced = regexp.MustCompile(`(?:src|href)="(/assets/[^"]*)"`)
	preloaded  = regexp.MustCompile(`rel="modulepreload" href="/assets/([^"?]*)`)
	entry      = regexp.MustCompile(`<script type="module" src="/assets/([^"?]*)`)
	imported   = regexp.MustCompile(`(?m)^(?:import|export) .*'\./([^'?]*)(\?v=[0-9a-f]+)?'`)
)

func TestReferencedAssetsExist(t *testing.T) {
	p := newPages(t)
	for _, target := range pageTargets {
		urls := referenced.FindAllStringSubmatch(p.serve(http.MethodGet, target, nil).Body.String(), -1)
		if len(urls) < 4 {
			t.Errorf("%s refers to %d assets only", target, len(urls))
		}
		for _, url := range urls {
			if w := p.serve(http.MethodGet, url[1], nil); w.Code != http.StatusOK || w.Body.Len() == 0 {
				t.Errorf("%s refers to %s: status %d", target, url[1], w.Code)
			}
		}
	}
}

// A page asks for all its modules at once, not for one after the other as their imports come to light.
func TestPagesPreloadAllTheirModules(t *testing.T) {
	p := newPages(t)
	for _, target := range pageTargets {
		body := p.serve(http.MethodGet, target, nil).Body.String()
		needed := map[string]bool{}
		p.collectImports(t, entry.FindStringSubmatch(body)[1], needed)
		var got []string
		for _, match := range preloaded.FindAllStringSubmatch(body, -1) {
			got = append(got, match[1])
		}
		want := make([]string, 0, len(needed))
		for name := range needed {
			want = append(want, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s preloads %v, its modules are %v", target, got, want)
		}
	}
}

func (p *Pages) collectImports(t *testing.T, name string, seen map[string]bool) {
	t.Helper()
	for _, match := range imported.FindAllSubmatch(p.assets.files[name].body, -1) {
		next := string(match[1])
		if string(match[2]) != "?v="+p.assets.version {
			t.Errorf("%s imports %s without the release's version: the browser would load it twice", name, next)
		}
		if _, ok := p.assets.files[next]; !ok {
			t.Errorf("%s imports %s, which does not exist", name, next)
		}
		if !seen[next] {
			seen[next] = true
			p.collectImports(t, next, seen)
		}
	}
}

func TestAssetTypes(t *testing.T) {
	p := newPages(t)
	for name, want := range map[string]string{
		"player.js":   "text/javascript; charset=utf-8",
		"style.css":   "text/css; charset=utf-8",
		"favicon.svg": "image/svg+xml",
	} {
		h := p.serve(http.MethodGet, "/assets/"+name, nil).Header()
		if got := h.Get("Content-Type"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", name, got)
		}
	}
}

func TestAssetCaching(t *testing.T) {
	p := newPages(t)
	cases := []struct{ name, query, want string }{
		{"this release", "?v=" + p.assets.version, "public, max-age=31536000, immutable"},
		{"no version", "", "no-cache"},
		{"another release", "?v=000000000000", "no-cache"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := p.serve(http.MethodGet, "/assets/player.js"+c.query, nil)
			if got := w.Header().Get("Cache-Control"); got != c.want {
				t.Errorf("Cache-Control %q, want %q", got, c.want)
			}
			again := p.serve(http.MethodGet, "/assets/player.js"+c.query, http.Header{"If-None-Match": {w.Header().Get("ETag")}})
			if again.Code != http.StatusNotModified {
				t.Errorf("with the ETag: status %d", again.Code)
			}
		})
	}
}

func TestVersionFollowsTheContent(t *testing.T) {
	version := func(script string) string {
		as, err := loadAssets(fstest.MapFS{"a.js": {Data: []byte(script)}, "b.css": {Data: []byte("b")}})
		if err != nil {
			t.Fatal(err)
		}
		return as.version
	}
	if first, again, other := version("1"), version("1"), version("2"); first != again || first == other {
		t.Errorf("versions: %s, %s, %s", first, again, other)
	}
}

func TestUnknownTypeIsAFaultOfTheBuild(t *testing.T) {
	if _, err := loadAssets(fstest.MapFS{"notes.txt": {Data: []byte("x")}}); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("error %v", err)
	}
}

func TestUnknownAsset(t *testing.T) {
	p := newPages(t)
	for _, name := range []string{"nothing.js", "", "../pages.go", "templates/player.html"} {
		w := p.serve(http.MethodGet, "/assets/"+name, nil)
		var problem struct {
			Status int
			Detail string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if w.Code != http.StatusNotFound || problem.Status != http.StatusNotFound || problem.Detail == "" ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q: status %d, %+v", name, w.Code, problem)
		}
	}
}
