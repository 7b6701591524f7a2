package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// contentTypes are said here rather than asked of package mime, which reads the machine's tables.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset is one file under /assets/, ready to send.
type asset struct {
	body        []byte
	contentType string
	etag        string
}

// assets are all files under /assets/ by name. Their version changes when any of them does; a URL that bears
// it may be cached for ever.
type assets struct {
	files   map[string]asset
	version string
}

// loadAssets reads the embedded files and puts their version into the imports of the scripts, so that a page
// and all its modules come from one release whatever a cache still holds.
func loadAssets(root fs.FS) (*assets, error) {
	raw, version, err := readAssets(root)
	if err != nil {
		return nil, err
	}
	as := &assets{files: make(map[string]asset, len(raw)), version: version}
	for name, body := range raw {
		contentType, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil, fmt.Errorf("asset %s has no content type", name)
		}
		if path.Ext(name) == ".js" {
			body = as.pinImports(body)
		}
		as.files[name] = asset{body: body, contentType: contentType, etag: etag(body)}
	}
	return as, nil
}

// readAssets gives the files by name and the hash of them all.
func readAssets(root fs.FS) (files map[string][]byte, version string, err error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, "", fmt.Errorf("list the assets: %w", err)
	}
	files = make(map[string][]byte, len(entries))
	sum := sha256.New()
	for _, entry := range entries {
		body, err := fs.ReadFile(root, entry.Name())
		if err != nil {
			return nil, "", fmt.Errorf("read asset %s: %w", entry.Name(), err)
		}
		files[entry.Name()] = body
		fmt.Fprintf(sum, "%s %d\n", entry.Name(), len(body))
		sum.Write(body)
	}
	return files, hex.EncodeToString(sum.Sum(nil))[:12], nil
}

var importPattern = regexp.MustCompile(`( from '\./[a-z]+\.js)'`)

func (as *assets) pinImports(script []byte) []byte {
	return importPattern.ReplaceAll(script, []byte("${1}?v="+as.version+"'"))
}

// url is where the pages of this release find an asset.
func (as *assets) url(name string) (string, error) {
	if _, ok := as.files[name]; !ok {
		return "", fmt.Errorf("no asset is called %q", name)
	}
	return "/assets/" + name + "?v=" + as.version, nil
}

// Asset answers GET and HEAD of /assets/{name}. With this release's version in the query the answer may be
// cached for ever, without it (or with another) it must be validated each time. An unknown name gets 404.
func (p *Pages) Asset(w http.ResponseWriter, r *http.Request, name string) {
	if !readOnly(w, r) {
		return
	}
	a, ok := p.assets.files[name]
	if !ok {
		writeProblem(w, http.StatusNotFound, "There is no such file here.")
		return
	}
	cache := "no-cache"
	if r.URL.Query().Get("v") == p.assets.version {
		cache = "public, max-age=31536000, immutable"
	}
	h := w.Header()
	h.Set("Cache-Control", cache)
	h.Set("X-Content-Type-Options", "nosniff")
	send(w, r, a)
}

// send writes a with its validator; http.ServeContent sees to HEAD, If-None-Match and ranges.
func send(w http.ResponseWriter, r *http.Request, a asset) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("ETag", a.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}
